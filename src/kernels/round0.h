// Round 0 of the batch sumcheck: constraint programs on the cosets of the skip domain.
#ifndef WHORL_KERNELS_ROUND0_H
#define WHORL_KERNELS_ROUND0_H

#include "kernels/eq.h"
#include "kernels/program.h"
#include "kernels/round0_params.h"

WH_FN InterpolateJob load_interpolate_job(Words jobs, u64 at) {
    InterpolateJob job;
    job.inputs = word_pair(jobs, at);
    job.out = word_pair(jobs, at + 2);
    job.first_group = jobs[at + 4];
    job.num_inputs = jobs[at + 5];
    job.first_point = jobs[at + 6];
    job.num_points = jobs[at + 7];
    job.log_items = jobs[at + 8];
    job.row_mask = jobs[at + 9];
    return job;
}

// A block of at most 16 values; those from 2^kLog on are not used.
struct SkipBlock {
    u32 w[16];
};
WH_FN SkipBlock read_block(Word4 column, u32 row, u32 n, u32 row_mask) {
    SkipBlock block;
    for (u32 q = 0; q < 4; ++q) {
        Word4 values = {{0, 0, 0, 0}};
        if (4 * q < n) values = read_rows(column, row + 4 * q, row_mask);
        for (u32 k = 0; k < 4; ++k) block.w[4 * q + k] = values.w[k];
    }
    return block;
}

// A transform back over D, the coefficients scaled for the coset, a transform over D. tables: as in InterpolateParams.
template <u32 kLog>
WH_FN SkipBlock coset_block(SkipBlock block, Words tables) {
    const u32 n = 1u << kLog;
    for (u32 step = 1; step < n; step *= 2) {
        const u32 half_size = n / 2 / step;
        for (u32 first = 0; first < n; first += 2 * half_size) {
            for (u32 i = 0; i < half_size; ++i) {
                const u32 a = block.w[first + i];
                const u32 b = block.w[first + i + half_size];
                block.w[first + i] = fp_add(a, b);
                const u32 difference = fp_sub(a, b);
                block.w[first + i + half_size] = i == 0 ? difference : fp_mul(difference, tables[i * step]);
            }
        }
    }
    for (u32 k = 0; k < n; ++k) block.w[k] = fp_mul(block.w[k], tables[n + k]);
    for (u32 step = n / 2; step != 0; step /= 2) {
        const u32 half_size = n / 2 / step;
        for (u32 first = 0; first < n; first += 2 * half_size) {
            for (u32 i = 0; i < half_size; ++i) {
                const u32 a = block.w[first + i];
                u32 b = block.w[first + i + half_size];
                if (i != 0) b = fp_mul(b, tables[n / 2 + i * step]);
                block.w[first + i] = fp_add(a, b);
                block.w[first + i + half_size] = fp_sub(a, b);
            }
        }
    }
    return block;
}

// The value at one point of a coset, as a sum over its block: for blocks of other sizes.
WH_FN u32 coset_value(Word4 column, Words basis, u32 point, u32 log_n, u32 row_mask) {
    const u32 n = 1u << log_n;
    const u32 z = point & (n - 1);
    u64 sum = 0;
    for (u32 j = 0; j < n; ++j) {
        sum = wide_fold(sum + static_cast<u64>(read_row(column, point - z + j, row_mask)) * basis[(z - j) & (n - 1)]);
    }
    return fp_reduce(sum);
}

WH_KERNEL(round0_interpolate_inputs, InterpolateParams, 256) {
    WH_THREAD(t);
    const Words jobs = words_at(p.jobs);
    const InterpolateJob job =
        load_interpolate_job(jobs, find_job(jobs, p.num_jobs, kInterpolateJobWords, kInterpolateJobGroupWord, t.group));
    const u64 item = static_cast<u64>(t.group - job.first_group) * t.size + t.tid;
    const u64 input = item >> job.log_items;
    if (input >= job.num_inputs) return;
    const u32 local = static_cast<u32>(item) & ((1u << job.log_items) - 1);
    const Word4 column = load4(words_at(job.inputs), input);
    const Words tables = words_at(p.tables);
    const Words out = words_at(job.out);
    if (p.log_n < 2 || p.log_n > 4) {
        Word4 values;
        for (u32 k = 0; k < 4; ++k) {
            values.w[k] = coset_value(column, tables, job.first_point + 4 * local + k, p.log_n, job.row_mask);
        }
        store4(out, item, values);
        return;
    }
    const u32 n = 1u << p.log_n;
    SkipBlock block = read_block(column, job.first_point + local * n, n, job.row_mask);
    if (p.log_n == 2) block = coset_block<2>(block, tables);
    if (p.log_n == 3) block = coset_block<3>(block, tables);
    if (p.log_n == 4) block = coset_block<4>(block, tables);
    for (u32 q = 0; q < 4; ++q) {
        const Word4 values = {{block.w[4 * q], block.w[4 * q + 1], block.w[4 * q + 2], block.w[4 * q + 3]}};
        if (4 * q < n) store4(out, (item << (p.log_n - 2)) + q, values);
    }
}

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
WH_FN CosetInputs inputs_at(CosetInputs in, EvaluateJob, u32 quad) {
    in.quad = quad;
    return in;
}
WH_FN RowInputs inputs_at(RowInputs in, EvaluateJob job, u32 quad) {
    in.row = job.first_point + 4 * quad;
    return in;
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
// What of a job is needed late is read late. scratch: 16·257 words.
template <class Inputs>
WH_FN void evaluate_chunk(Thread t, SharedWords scratch, Words jobs, u64 at, Inputs inputs, u32 log_n,
                          bool is_counted) {
    for (u32 i = 0; i < 16; ++i) scratch[i * (t.size + 1) + t.tid] = 0;
    const EvaluateJob job = load_evaluate_job(jobs, at);
    const u32 local = t.group - job.first_group;
    const u32 chunk_index = local % job.num_chunks;
    const u32 tile = local / job.num_chunks;
    const Program program = job_program(job, chunk_index, t);
    for (u32 step = 0; step < job.num_steps; ++step) {
        const u32 quad = (tile * job.num_steps + step) * t.size + t.tid;
        if (4 * quad >= job.num_points) break;
        const Quad values = run_quad(program, inputs_at(inputs, job, quad));
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

WH_KERNEL(round0_evaluate_cosets, EvaluateParams, 256) {
    WH_SHARED(scratch, 4112);
    WH_THREAD(t);
    const Words jobs = words_at(p.jobs);
    const u64 at = find_job(jobs, p.num_jobs, kEvaluateJobWords, kEvaluateJobGroupWord, t.group);
    const EvaluateJob job = load_evaluate_job(jobs, at);
    const CosetInputs inputs = {words_at(job.inputs), 1ull << job.log_quads, 0};
    evaluate_chunk(t, scratch, jobs, at, inputs, p.log_n, p.is_counted != 0);
}

WH_KERNEL(round0_evaluate_rows, EvaluateParams, 256) {
    WH_SHARED(scratch, 4112);
    WH_THREAD(t);
    const Words jobs = words_at(p.jobs);
    const u64 at = find_job(jobs, p.num_jobs, kEvaluateJobWords, kEvaluateJobGroupWord, t.group);
    const EvaluateJob job = load_evaluate_job(jobs, at);
    const RowInputs inputs = {words_at(job.inputs), 0, job.row_mask};
    evaluate_chunk(t, scratch, jobs, at, inputs, p.log_n, p.is_counted != 0);
}

#endif
