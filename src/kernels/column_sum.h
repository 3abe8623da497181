// Sums of extension elements times base elements, reduced once at the end.
#ifndef WHORL_KERNELS_COLUMN_SUM_H
#define WHORL_KERNELS_COLUMN_SUM_H

#include "kernels/field.h"

struct ColumnSum {
    u64 c[4];
};
WH_FN ColumnSum column_sum_zero() {
    const ColumnSum out = {{0, 0, 0, 0}};
    return out;
}
// sum + a·x + b·y, folded again.
WH_FN ColumnSum column_sum_add(ColumnSum sum, Ext a, u32 x, Ext b, u32 y) {
    for (u32 i = 0; i < 4; ++i) {
        sum.c[i] = wide_fold(sum.c[i] + static_cast<u64>(a.c[i]) * x + static_cast<u64>(b.c[i]) * y);
    }
    return sum;
}
WH_FN Ext column_sum_value(ColumnSum sum) {
    return ext_words(fp_reduce(sum.c[0]), fp_reduce(sum.c[1]), fp_reduce(sum.c[2]), fp_reduce(sum.c[3]));
}

#endif
