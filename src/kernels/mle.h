// The batch sumcheck after round 0: from columns to multilinear tables, and constraint programs on those.
#ifndef WHORL_KERNELS_MLE_H
#define WHORL_KERNELS_MLE_H

#include "kernels/column_sum.h"
#include "kernels/eq.h"
#include "kernels/mle_params.h"
#include "kernels/program.h"
#include "kernels/reduce.h"

WH_FN BindJob load_bind_job(Words jobs, u64 at) {
    BindJob job;
    job.columns = word_pair(jobs, at);
    job.out = word_pair(jobs, at + 2);
    for (u32 c = 0; c < 4; ++c) {
        job.first_value.c[c] = jobs[at + 4 + c];
        job.last_value.c[c] = jobs[at + 8 + c];
    }
    job.first_group = jobs[at + 12];
    job.num_columns = jobs[at + 13];
    job.n_lift = jobs[at + 14];
    job.row_mask = jobs[at + 15];
    job.has_rotations = jobs[at + 16];
    return job;
}

WH_KERNEL(mle_bind_columns, BindParams, 256) {
    WH_THREAD(t);
    const Words jobs = words_at(p.jobs);
    const BindJob job = load_bind_job(jobs, find_job(jobs, p.num_jobs, kBindJobWords, kBindJobGroupWord, t.group));
    const u64 item = static_cast<u64>(t.group - job.first_group) * t.size + t.tid;
    const u64 column_index = item >> job.n_lift;
    const u32 last_block = (1u << job.n_lift) - 1;
    const u32 x = static_cast<u32>(item) & last_block;
    const u64 rows_per_column = job.has_rotations != 0 ? 2 : 1;
    const Words out = words_at(job.out);
    if (column_index >= job.num_columns) {
        const u64 selector = column_index - job.num_columns;
        if (selector >= 3) return;
        Ext value = ext_zero();
        if (selector == 0 && x == 0) value = WH_EXT(job.first_value);
        if (selector != 0 && x == last_block) value = WH_EXT(job.last_value);
        if (selector == 2) value = ext_sub(ext_one(), value);
        store_ext(out, ((job.num_columns * rows_per_column + selector) << job.n_lift) + x, value);
        return;
    }
    const Words column = words_at(word_pair(words_at(job.columns), 2 * column_index));
    const Words basis = words_at(p.basis);
    const u32 n = 1u << p.log_n;
    const u32 row = x << p.log_n;
    ColumnSum sum = column_sum_zero();
    ColumnSum rotated = column_sum_zero();
    if (n >= 4 && job.row_mask >= 3) {
        Word4 values = load4(column, (row & job.row_mask) / 4);
        for (u32 z = 0; z < n; z += 4) {
            const Word4 next = load4(column, ((row + z + 4) & job.row_mask) / 4);
            const Ext basis_0 = load_ext(basis, z);
            const Ext basis_1 = load_ext(basis, z + 1);
            const Ext basis_2 = load_ext(basis, z + 2);
            const Ext basis_3 = load_ext(basis, z + 3);
            sum = column_sum_add(sum, basis_0, values.w[0], basis_1, values.w[1]);
            sum = column_sum_add(sum, basis_2, values.w[2], basis_3, values.w[3]);
            rotated = column_sum_add(rotated, basis_0, values.w[1], basis_1, values.w[2]);
            rotated = column_sum_add(rotated, basis_2, values.w[3], basis_3, next.w[0]);
            values = next;
        }
    } else {
        for (u32 z = 0; z < n; ++z) {
            const Ext weight = load_ext(basis, z);
            sum = column_sum_add(sum, weight, column[(row + z) & job.row_mask], weight, 0);
            rotated = column_sum_add(rotated, weight, column[(row + z + 1) & job.row_mask], weight, 0);
        }
    }
    const u64 at = ((column_index * rows_per_column) << job.n_lift) + x;
    store_ext(out, at, column_sum_value(sum));
    if (job.has_rotations != 0) store_ext(out, at + last_block + 1, column_sum_value(rotated));
}

WH_FN PairJob load_pair_job(Words jobs, u64 at) {
    PairJob job;
    job.code = word_pair(jobs, at);
    job.chunks = word_pair(jobs, at + 2);
    job.coefficients = word_pair(jobs, at + 4);
    job.constants = word_pair(jobs, at + 6);
    job.inputs = word_pair(jobs, at + 8);
    job.tables = word_pair(jobs, at + 10);
    job.spilled = word_pair(jobs, at + 12);
    job.low_heap = word_pair(jobs, at + 14);
    job.high_heap = word_pair(jobs, at + 16);
    job.first_group = jobs[at + 18];
    job.num_groups = jobs[at + 19];
    job.num_chunks = jobs[at + 20];
    job.num_points = jobs[at + 21];
    job.num_packed = jobs[at + 22];
    job.num_pairs = jobs[at + 23];
    job.num_steps = jobs[at + 24];
    job.num_tiles = jobs[at + 25];
    job.num_high = jobs[at + 26];
    job.num_vars = jobs[at + 27];
    job.first_out = jobs[at + 28];
    return job;
}

WH_KERNEL(mle_evaluate_pairs, EvaluatePairsParams, 64) {
    WH_SHARED(scratch, 256);
    WH_THREAD(t);
    const Words jobs = words_at(p.jobs);
    const PairJob job = load_pair_job(jobs, find_job(jobs, p.num_jobs, kPairJobWords, kPairJobGroupWord, t.group));
    const u32 local = t.group - job.first_group;
    const u32 chunk_index = local % job.num_chunks;
    const u32 point_groups = (job.num_points + job.num_packed - 1) / job.num_packed;
    const u32 first_point = local / job.num_chunks % point_groups * job.num_packed;
    const u32 tile = local / job.num_chunks / point_groups;
    // The thread's point among those of the group.
    const u32 own = job.num_packed == 1 ? 0 : t.tid / job.num_pairs;
    const bool has_point = own < job.num_packed && first_point + own < job.num_points;
    const Words low_heap = words_at(job.low_heap);
    const Words high_heap = words_at(job.high_heap);
    const Program program = job_program(job, chunk_index, t);
    PairInputs inputs = {words_at(job.tables), words_at(job.inputs), job.num_pairs, 0,
                         fp_from_canonical(first_point + own)};
    Ext sum = ext_zero();
    for (u32 step = 0; step < job.num_steps; ++step) {
        const u32 pair = (tile * job.num_steps + step) * t.size + t.tid - own * job.num_pairs;
        if (!has_point || pair >= job.num_pairs) break;
        inputs.pair = pair;
        const Ext weight = eq_entry(low_heap, high_heap, job.num_high, job.num_vars, pair);
        sum = ext_add(sum, ext_mul(weight, run_ext(program, inputs)));
    }
    for (u32 i = 0; i < job.num_packed && first_point + i < job.num_points; ++i) {
        Ext of_point = ext_zero();
        if (own == i) of_point = sum;
        of_point = group_sum(scratch, t, of_point);
        const u64 out =
            job.first_out + (static_cast<u64>(first_point + i) * job.num_chunks + chunk_index) * job.num_tiles + tile;
        if (t.tid == 0) store_ext(words_at(p.out), out, of_point);
    }
}

#endif
