// LogUp's leaves: every interaction of every trace on every row.
#ifndef WHORL_KERNELS_LEAVES_H
#define WHORL_KERNELS_LEAVES_H

#include "kernels/leaves_params.h"
#include "kernels/program.h"

WH_FN LeafJob load_leaf_job(Words jobs, u64 at) {
    LeafJob job;
    job.code = word_pair(jobs, at);
    job.coefficients = word_pair(jobs, at + 2);
    job.constants = word_pair(jobs, at + 4);
    job.inputs = word_pair(jobs, at + 6);
    job.spilled = word_pair(jobs, at + 8);
    job.p = word_pair(jobs, at + 10);
    job.q = word_pair(jobs, at + 12);
    for (u32 c = 0; c < 4; ++c) job.q_constant.c[c] = jobs[at + 14 + c];
    job.first_group = jobs[at + 18];
    job.first_instruction = jobs[at + 19];
    job.num_instructions = jobs[at + 20];
    job.row_mask = jobs[at + 21];
    job.num_cells = jobs[at + 22];
    job.num_quads = jobs[at + 23];
    job.num_threads = jobs[at + 24];
    job.p_constant = jobs[at + 25];
    job.p_scale = jobs[at + 26];
    job.has_count = jobs[at + 27];
    return job;
}

WH_KERNEL(logup_leaves, LeavesParams, 128) {
    WH_THREAD(t);
    const Words jobs = words_at(p.jobs);
    const LeafJob job = load_leaf_job(jobs, find_job(jobs, p.num_jobs, kLeafJobWords, kLeafJobGroupWord, t.group));
    const u32 item = (t.group - job.first_group) * t.size + t.tid;
    const Program program = {
        words_at(job.code),    words_at(job.coefficients), words_at(job.constants), job.spilled, job.num_threads, item,
        job.first_instruction, job.num_instructions};
    const Words p_out = words_at(job.p);
    const Words q_out = words_at(job.q);
    const Ext q_constant = WH_EXT(job.q_constant);
    for (u32 i = 0; i < job.num_quads; ++i) {
        const u32 cell = 4 * (i * job.num_threads + item);
        if (cell >= job.num_cells) return;
        const RowInputs inputs = {words_at(job.inputs), cell, job.row_mask};
        const Quad quad = run_quad(program, inputs);
        Word4 counts;
        for (u32 k = 0; k < 4; ++k) {
            counts.w[k] = fp_mul(job.has_count != 0 ? quad.stored.w[k] : job.p_constant, job.p_scale);
            if (cell + k < job.num_cells) store_ext(q_out, cell + k, ext_add(quad.sums[k], q_constant));
        }
        // A block of four cells or more starts at a multiple of four.
        if (job.num_cells >= 4) {
            store4(p_out, cell / 4, counts);
            continue;
        }
        for (u32 k = 0; k < 4; ++k) {
            if (k < job.num_cells) p_out[k] = counts.w[k];
        }
    }
}

#endif
