// The kernels of fused_step.cu as a shared library for one CPU core; compiled with -DREAL=float or -DREAL=double.
#include "cuda_on_cpu.h"
#include "fused_step.cu"

LAUNCHABLE(gradient_by_warps)
#ifdef EVERY_KERNEL
LAUNCHABLE(gradient)
LAUNCHABLE(finish)
LAUNCHABLE(update)
LAUNCHABLE(train)
LAUNCHABLE(row_residuals)
LAUNCHABLE(column_sums)
#endif
