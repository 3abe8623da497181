// Round 0 of the batch sumcheck: constraint programs on the cosets of the skip domain.
#ifndef WHORL_KERNELS_ROUND0_H
#define WHORL_KERNELS_ROUND0_H

#include "kernels/program.h"
#include "kernels/round0_chunk.h"
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

WH_KERNEL(round0_evaluate_cosets, EvaluateParams, 256) {
    WH_SHARED(scratch, 4112);
    WH_THREAD(t);
    const Words jobs = words_at(p.jobs);
    const u64 at = find_job(jobs, p.num_jobs, kEvaluateJobWords, kEvaluateJobGroupWord, t.group);
    const EvaluateJob job = load_evaluate_job(jobs, at);
    evaluate_chunk(t, scratch, jobs, at, coset_inputs(job), p.log_n, p.is_counted != 0);
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
