/* Quantiles of a handful of numbers. Pure; thread-safe. */
#pragma once

#include <stddef.h>

/* Sorts `v` ascending with NaN first. */
void sort_doubles(double *v, size_t n);
/* The q-quantile of n numbers, which it sorts: linear between the two nearest ranks. q NaN or n 0: NaN; q < 0: -Inf;
 * q > 1: +Inf. */
double quantile_of(double q, double *v, size_t n);
