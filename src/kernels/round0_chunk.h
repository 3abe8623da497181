// A group's part of round 0: one chunk of a constraint program over some points, weighted and added up. How the chunk is
// evaluated is left open, so that generated kernels share all else with the interpreter.
#ifndef WHORL_KERNELS_ROUND0_CHUNK_H
#define WHORL_KERNELS_ROUND0_CHUNK_H

#include "kernels/eq.h"
#include "kernels/program.h"
#include "kernels/round0_params.h"

WH_FN EvaluateJob load_evaluate_job(Words jobs, u64 at) {
    EvaluateJob job;
    job.code = word_pair(jobs, at);
    job.chunks = word_pair(jobs, at + 2);
    job.coefficients = word_pair(jobs, at + 4);
    job.constants = word_pair(jobs, at + 6);
    job.inputs = word_pair(jobs, at + 8);
    job.spilled = word_pair(jobs, at + 10);
    job.low_heap = word_pair(jobs, at + 12);
    job.high_heap = word_pair(jobs, at + 14);
    job.out_0 = word_pair(jobs, at + 16);
    job.out_1 = word_pair(jobs, at + 18);
    job.first_group = jobs[at + 20];
    job.num_groups = jobs[at + 21];
    job.num_chunks = jobs[at + 22];
    job.num_chunks_0 = jobs[at + 23];
    job.first_point = jobs[at + 24];
    job.num_points = jobs[at + 25];
    job.num_steps = jobs[at + 26];
    job.log_quads = jobs[at + 27];
    job.row_mask = jobs[at + 28];
    job.n_lift = jobs[at + 29];
    job.num_high = jobs[at + 30];
    return job;
}
WH_FN CosetInputs coset_inputs(EvaluateJob job) {
    const CosetInputs out = {words_at(job.inputs), 1ull << job.log_quads, 0};
    return out;
}
// The chunk at four points of the job, interpreted; generated kernels have types and functions of their own for this.
WH_FN Quad evaluate_quad(CosetInputs in, Program program, EvaluateJob, u32 quad) {
    in.quad = quad;
    return run_quad(program, in);
}
WH_FN Quad evaluate_quad(RowInputs in, Program program, EvaluateJob job, u32 quad) {
    in.row = job.first_point + 4 * quad;
    return run_quad(program, in);
}

// eq of the block that a point of the job is in; 0 for points behind the last.
WH_FN Ext point_weight(EvaluateJob job, u32 i, u32 log_n) {
    if (i >= job.num_points) return ext_zero();
    return eq_entry(words_at(job.low_heap), words_at(job.high_heap), job.num_high, job.n_lift,
                    (job.first_point + i) >> log_n);
}
// scratch[4·k + coordinate][thread] += weight·value for the thread's point k. A row has a word more than the group has
// threads: neighbouring points are in different banks.
WH_FN void add_point(SharedWords scratch, Thread t, u32 k, Ext weight, Ext value) {
    const Ext product = ext_mul(weight, value);
    for (u32 c = 0; c < 4; ++c) {
        const u32 at = (4 * k + c) * (t.size + 1) + t.tid;
        scratch[at] = fp_add(scratch[at], product.c[c]);
    }
}

// A group takes one chunk over num_steps·1024 points; neighbouring groups take the other chunks on the same points.
// What of a job is needed late is read late. scratch: 16·257 words. code: as evaluate_quad takes it.
template <class Code>
WH_FN void evaluate_chunk(Thread t, SharedWords scratch, Words jobs, u64 at, Code code, u32 log_n, bool is_counted) {
    for (u32 i = 0; i < 16; ++i) scratch[i * (t.size + 1) + t.tid] = 0;
    const EvaluateJob job = load_evaluate_job(jobs, at);
    const u32 local = t.group - job.first_group;
    const u32 chunk_index = local % job.num_chunks;
    const u32 tile = local / job.num_chunks;
    const Program program = job_program(job, chunk_index, t);
    for (u32 step = 0; step < job.num_steps; ++step) {
        const u32 quad = (tile * job.num_steps + step) * t.size + t.tid;
        if (4 * quad >= job.num_points) break;
        const Quad values = evaluate_quad(code, program, job, quad);
        // Blocks of four points and more have one weight.
        const EvaluateJob weights = load_evaluate_job(jobs, at);
        Ext weight = point_weight(weights, 4 * quad, log_n);
        add_point(scratch, t, 0, weight, values.sums[0]);
        if (log_n == 0) weight = point_weight(weights, 4 * quad + 1, log_n);
        add_point(scratch, t, 1, weight, values.sums[1]);
        if (log_n <= 1) weight = point_weight(weights, 4 * quad + 2, log_n);
        add_point(scratch, t, 2, weight, values.sums[2]);
        if (log_n == 0) weight = point_weight(weights, 4 * quad + 3, log_n);
        add_point(scratch, t, 3, weight, values.sums[3]);
    }
    WH_BARRIER();
    // Of the group's 1024 points those of one z, and of these every parts-th.
    const EvaluateJob to = load_evaluate_job(jobs, at);
    const u32 log_outputs = log_n + 2;
    const u32 num_parts = log_n < 6 ? static_cast<u32>(kRound0MaxParts) >> log_n : 1;
    const u32 sum_index = chunk_index < to.num_chunks_0 ? 0 : 1;
    const Words out = words_at(sum_index == 0 ? to.out_0 : to.out_1);
    const u32 chunk_of_sum = sum_index == 0 ? chunk_index : chunk_index - to.num_chunks_0;
    const u32 chunks_of_sum = sum_index == 0 ? to.num_chunks_0 : to.num_chunks - to.num_chunks_0;
    for (u32 o = t.tid; o < num_parts << log_outputs; o += t.size) {
        const u32 part = o >> log_outputs;
        const u32 z = (o >> 2) & ((1u << log_n) - 1);
        const u32 c = o & 3;
        u32 sum = 0;
        for (u32 i = part; i < static_cast<u32>(kRound0GroupPoints) >> log_n; i += num_parts) {
            const u32 point = (i << log_n) + z;
            sum = fp_add(sum, scratch[(4 * (point & 3) + c) * (t.size + 1) + (point >> 2)]);
        }
        if (is_counted) {
            const u64 set = (static_cast<u64>(local) * num_parts + part) >> kRound0LogSetParts;
            const u64 word = 2 * (((set << log_n) + z) * 4 + c);
            atomic_add_word(out, word, sum & 0xFFFFu);
            atomic_add_word(out, word + 1, sum >> 16);
        } else {
            const u64 entry = (static_cast<u64>(tile) * chunks_of_sum + chunk_of_sum) * num_parts + part;
            out[((entry << log_n) + z) * 4 + c] = sum;
        }
    }
}

// What a generated kernel does: chunks [first, first + count) of a program over the one job at p.jobs. Groups are counted
// by tile and chunk, of those chunks alone; results go where the interpreter's group for tile and chunk has its own.
// Code: {CosetInputs, number of the chunk}.
template <class Code>
WH_FN void evaluate_generated(Thread t, SharedWords scratch, WH_PARAMS(EvaluateParams) p, u32 first, u32 count) {
    const Words jobs = words_at(p.jobs);
    const EvaluateJob job = load_evaluate_job(jobs, 0);
    const Code code = {coset_inputs(job), first + t.group % count};
    t.group = job.first_group + t.group / count * job.num_chunks + code.chunk;
    evaluate_chunk(t, scratch, jobs, 0, code, p.log_n, p.is_counted != 0);
}

#endif
