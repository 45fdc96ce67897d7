// One training step of logistic regression that reads X from memory once.
//
// A block copies a tile of rows into shared memory and does everything with it there: margins, losses, residuals, and
// its share of gw. Only sums leave the block. __init__.py compiles this file with NVRTC, once for each REAL, and says
// what bounds it; no header is included, because NVRTC alone has none.
//
//   gradient_by_warps     a persistent grid, every warp on tiles of its own; the last block adds up the partial sums
//   gradient              the same by blocks, for rows that are too long for the registers of a warp
//   finish                that addition as a launch of its own, where it is too much work for one block
//   update                the update alone, from the gradients in memory
//   train                 k steps in one launch, for an X that fits into the shared memories of the device
//   row_residuals, column_sums   the two-pass form for rows that do not fit into shared memory; then finish
//
// No float is ever added atomically. Which thread adds what, and in which order, depends on shapes and launch alone,
// so the same launch gives the same bits.

typedef REAL real;
typedef long long int64;

// The kernel that goes by warps knows at compile time how a row is shared among threads. It is compiled alone, in a third
// of the time, for every way that WarpTiling in tiling.py finds: WARPS of a block; LANES, threads side by side on a row,
// a power of two; VECTORS of a row to each of them, of WORD reals; ROWS of a thread, one below another, a power of two.
#ifndef LANES
#define EVERY_KERNEL
#define WARPS 16
#define LANES 32
#define VECTORS 4
#define WORD 1
#define ROWS 8
#endif

const int STAGES = 3;      // tiles in the ring: one worked on, two on their way
const int WORD_BYTES = 16; // what one thread copies at a time

enum Flags { UPDATE = 1, RECORD_COST = 2, FINISH = 4 };
enum Counters { STEPS_TAKEN, NEXT_COST, BARRIER_ARRIVALS, TICKETS };

// Everything a kernel needs, passed by value. STEP in __init__.py has the same fields in the same order.
struct Step {
    const real* X;           // (m, n) row-major, dense; its storage padded to whole words
    const signed char* sign; // (m,) 1 − 2y; padded likewise
    real* parameters;        // (n + 1,) w and, last, b; so are the next three
    real* gradients;
    real* moment1;
    real* moment2;
    real* J;                 // (1,)
    real* partials;          // (blocks, n + 2) sums of each block: gw, Σr, and its share of J
    int64* counters;         // (4,) updates taken; address of the next cost; arrivals at the barrier; tickets drawn
    int64 m;
    int n;
    int rows;                // rows of a tile
    int lanes;               // threads that share a row in the dot product; a power of two
    int adam;
    double learning_rate, beta1, beta2, log_beta1, log_beta2, epsilon, l2;
};

#ifdef __CUDA_ARCH__ // Elsewhere, whoever compiles this brings these five.

__device__ char* shared_memory() {
    extern __shared__ uint4 words[];
    return reinterpret_cast<char*>(words);
}

__device__ void rest() { __nanosleep(20); }

#if __CUDA_ARCH__ >= 800
// Asynchronous copies go from L2 to shared memory past the registers and L1: no thread waits, and what is in flight is
// limited by the ring, not by registers.
__device__ void copy_word(char* to, const char* from) {
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(from) : "memory");
}
__device__ void close_group() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int OPEN> __device__ void wait_until_open() {
    asm volatile("cp.async.wait_group %0;" ::"n"(OPEN) : "memory");
}
#else
// Turing has none: a tile is copied through registers, and only other blocks hide the wait.
__device__ void copy_word(char* to, const char* from) {
    *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(from);
}
__device__ void close_group() {}
template <int OPEN> __device__ void wait_until_open() {}
#endif
#endif

// ---- Shared memory: the ring of tiles first, then arrays of reals. shared_bytes in tiling.py adds it up. ----

// Bytes that hold `bytes` copied in whole words, wherever in a word they begin.
__device__ int padded(int bytes) { return (bytes / WORD_BYTES + 2) * WORD_BYTES; }

__device__ int stage_bytes(const Step& s) { return padded(s.rows * s.n * int(sizeof(real))) + padded(s.rows); }

__device__ int row_groups(const Step& s) { return max(int(blockDim.x) / s.n, 1); }

__device__ int warps_per_row(const Step& s) { return max(s.lanes / 32, 1); }

struct Block {
    char* ring;     // `stages` tiles
    real* w;        // (n + 1,) the parameters; the bias last
    real* sums;     // (row_groups · n,) of r·x, by the thread that owns them
    real* margins;  // (rows, warps_per_row) parts of x·w
    real* r;        // (rows,)
    real* scratch;  // (threads,)
    real* moment1;  // (n + 1,) and
    real* moment2;  // (n + 1,), in `train` only
};

__device__ Block block_memory(const Step& s, int stages) {
    Block block;
    block.ring = shared_memory();
    block.w = reinterpret_cast<real*>(block.ring + stages * stage_bytes(s));
    block.sums = block.w + s.n + 1;
    block.margins = block.sums + row_groups(s) * s.n;
    block.r = block.margins + s.rows * warps_per_row(s);
    block.scratch = block.r + s.rows;
    block.moment1 = block.scratch + blockDim.x;
    block.moment2 = block.moment1 + s.n + 1;
    return block;
}

struct Tile {
    const real* X;           // (rows, n)
    const signed char* sign; // (rows,)
    int rows;
};

// A run of rows is one stretch of memory, but for most n it begins in the middle of a 16-byte word. Whole words are
// copied, from the one it begins in to the one it ends in, and the run begins `misalignment` bytes into the copy: wide,
// aligned copies for every n.
__device__ int misalignment(int64 first_byte) { return int(first_byte % WORD_BYTES); }

__device__ void copy_bytes(char* to, const void* from, int64 first_byte, int bytes) {
    const int skew = misalignment(first_byte);
    const char* words = static_cast<const char*>(from) + (first_byte - skew);
    for (int offset = threadIdx.x * WORD_BYTES; offset < skew + bytes; offset += blockDim.x * WORD_BYTES)
        copy_word(to + offset, words + offset);
}

__device__ int rows_from(const Step& s, int64 first) { return int(max(min(s.m - first, int64(s.rows)), int64(0))); }

// Start copying the tile that begins at row `first`, if there is one, and close the group of copies.
__device__ void fetch(const Step& s, char* stage, int64 first) {
    const int rows = rows_from(s, first), row_bytes = s.n * int(sizeof(real));
    if (rows > 0) {
        copy_bytes(stage, s.X, first * row_bytes, rows * row_bytes);
        copy_bytes(stage + padded(s.rows * row_bytes), s.sign, first, rows);
    }
    close_group();
}

__device__ Tile fetched(const Step& s, const char* stage, int64 first) {
    const int row_bytes = s.n * int(sizeof(real));
    Tile tile;
    tile.X = reinterpret_cast<const real*>(stage + misalignment(first * row_bytes));
    tile.sign = reinterpret_cast<const signed char*>(stage + padded(s.rows * row_bytes) + misalignment(first));
    tile.rows = rows_from(s, first);
    return tile;
}

// ---- Sums over threads ----

// The sum of `value` over `width` neighbouring lanes, a power of two, known to all of them.
__device__ real sum_of_lanes(real value, int width) {
    for (int distance = width / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(~0u, value, distance);
    return value;
}

// The sum of `value` over the block, known to every thread.
__device__ real sum_of_block(real value, real* scratch) {
    value = sum_of_lanes(value, 32);
    __syncthreads();
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = value;
    __syncthreads();
    real total = 0;
    for (int warp = 0; warp < blockDim.x / 32; ++warp) total += scratch[warp];
    return total;
}

// ---- A tile, in three phases with a barrier between them ----

// Phase 1: x·w for each row, by `lanes` threads that read neighbouring elements.
__device__ void find_margins(const Step& s, const Block& block, const Tile& tile) {
    const int lane = threadIdx.x % s.lanes, rows_at_once = blockDim.x / s.lanes;
    for (int first = 0; first < tile.rows; first += rows_at_once) {
        const int row = first + threadIdx.x / s.lanes;
        real sum = 0;
        if (row < tile.rows) {
#pragma unroll 4
            for (int j = lane; j < s.n; j += s.lanes) sum += tile.X[row * s.n + j] * block.w[j];
        }
        sum = sum_of_lanes(sum, min(s.lanes, 32));
        if (row < tile.rows && lane % 32 == 0) block.margins[row * warps_per_row(s) + lane / 32] = sum;
    }
}

struct Outcome {
    real loss, r;
};

// loss = softplus(t) = max(t, 0) + log1p(exp(−|t|)) and r = (1 − 2y)·σ(t), which is p − y, of t = (1 − 2y)·z. Nothing
// overflows or cancels. exp and log1p are CUDA's own, of one or two units in the last place; no fast mathematics.
__device__ Outcome outcome(real z, real sign) {
    const real t = sign * z, decay = exp(-fabs(t));
    Outcome result;
    result.loss = fmax(t, real(0)) + log1p(decay);
    result.r = sign * (t >= 0 ? real(1) : decay) / (1 + decay);
    return result;
}

// Phase 2: one thread a row, so that the expensive functions are evaluated once a row. Adds to loss and r_sum.
__device__ void find_residuals(const Step& s, const Block& block, const Tile& tile, real& loss, real& r_sum) {
    for (int row = threadIdx.x; row < tile.rows; row += blockDim.x) {
        real z = block.w[s.n];
        for (int warp = 0; warp < warps_per_row(s); ++warp) z += block.margins[row * warps_per_row(s) + warp];
        const Outcome here = outcome(z, tile.sign[row]);
        block.r[row] = here.r;
        loss += here.loss;
        r_sum += here.r;
    }
}

// Phase 3: Σ r·x over the tile. The threads stand side by side on whole rows, row_groups of them at a time, and step on
// together: a thread stays in its column, a warp reads neighbouring elements, and nobody shares a sum. The tile is
// added up on its own before it joins the running sum, which keeps the rounding error of the sum blocked.
__device__ void accumulate(const Step& s, const Block& block, const Tile& tile) {
    const int groups = row_groups(s), stride = groups * s.n, first_row = threadIdx.x / s.n;
    for (int slot = threadIdx.x; slot < stride; slot += blockDim.x) {
        real sum = 0;
#pragma unroll 4
        for (int row = first_row, element = slot; row < tile.rows; row += groups, element += stride)
            sum += block.r[row] * tile.X[element];
        block.sums[slot] += sum;
    }
}

__device__ void clear_sums(const Step& s, const Block& block) {
    for (int slot = threadIdx.x; slot < row_groups(s) * s.n; slot += blockDim.x) block.sums[slot] = 0;
}

// The last two of a block's sums, (n + 2,): Σr, and its share of J, Σ loss/m; block 0 adds the penalty (l2/2)·‖w‖².
__device__ void write_shares(
    const Step& s, const real* w, real loss, real r_sum, real* scratch, real* partials_out) {
    real J_share = loss / s.m;
    if (blockIdx.x == 0)
        for (int j = threadIdx.x; j < s.n; j += blockDim.x) J_share += real(0.5 * s.l2) * w[j] * w[j];
    const real J_total = sum_of_block(J_share, scratch), r_total = sum_of_block(r_sum, scratch);
    if (threadIdx.x == 0) {
        partials_out[s.n] = r_total;
        partials_out[s.n + 1] = J_total;
    }
}

// The block's sums: gw, Σr, and its share of J.
__device__ void write_partials(const Step& s, const Block& block, real loss, real r_sum, real* partials_out) {
    write_shares(s, block.w, loss, r_sum, block.scratch, partials_out);
    for (int j = threadIdx.x; j < s.n; j += blockDim.x) {
        real sum = 0;
        for (int group = 0; group < row_groups(s); ++group) sum += block.sums[group * s.n + j];
        partials_out[j] = sum;
    }
}

// ---- The second reduction and the update ----

struct Corrections {
    double first, second; // 1 − β1ᵗ and 1 − β2ᵗ
};

// In float64, whatever REAL is; expm1 keeps the digits that 1 − βᵗ loses when β is close to 1. log 0 is −∞, and right.
__device__ Corrections bias_corrections(const Step& s, int64 step) {
    Corrections corrections = {1.0, 1.0};
    if (s.adam) corrections = {-expm1(step * s.log_beta1), -expm1(step * s.log_beta2)};
    return corrections;
}

__device__ void descend(const Step& s, Corrections corrections, real g, real& parameter, real& moment1, real& moment2) {
    if (s.adam) {
        moment1 = real(s.beta1) * moment1 + real(1.0 - s.beta1) * g;
        moment2 = real(s.beta2) * moment2 + real(1.0 - s.beta2) * g * g;
        const real root = sqrt(moment2 / real(corrections.second));
        parameter -= real(s.learning_rate / corrections.first) * moment1 / (root + real(s.epsilon));
    } else {
        parameter -= real(s.learning_rate) * g;
    }
}

__device__ real gradient_of(const Step& s, int column, real sum, real parameter) {
    const real mean = sum / s.m;
    return column < s.n ? mean + real(s.l2) * parameter : mean; // the penalty spares the bias
}

// Sums down the columns [first, first + width) of the partials, by all threads: each group of `width` threads adds
// every groups-th row, then the groups are added up. The result is for the threads below `width`. Other blocks wrote
// the partials, so they are read from L2.
__device__ real sum_of_partials(const Step& s, const real* partials, int count, int first, int width, real* scratch) {
    const int groups = blockDim.x / width, group = threadIdx.x / width, column = first + threadIdx.x % width;
    real sum = 0;
    if (group < groups && column < s.n + 2) {
#pragma unroll 8
        for (int row = group; row < count; row += groups) sum += __ldcg(&partials[row * (s.n + 2) + column]);
    }
    __syncthreads();
    scratch[threadIdx.x] = sum;
    __syncthreads();
    real total = 0;
    if (threadIdx.x < width)
        for (int g = 0; g < groups; ++g) total += scratch[g * width + threadIdx.x];
    return total;
}

__device__ void write_cost(const Step& s, real J, int flags) {
    *s.J = J;
    if (flags & RECORD_COST) {
        real* cost = reinterpret_cast<real*>(s.counters[NEXT_COST]);
        *cost = J;
        s.counters[NEXT_COST] = reinterpret_cast<int64>(cost + 1);
    }
}

// Turn the partial sums of `width` columns into gradients, J and, with UPDATE, new parameters.
__device__ void finish_columns(const Step& s, int count, int first, int width, int flags, real* scratch) {
    const real sum = sum_of_partials(s, s.partials, count, first, width, scratch);
    const int column = first + threadIdx.x;
    if (threadIdx.x >= width || column > s.n + 1) return;
    if (column == s.n + 1) return write_cost(s, sum, flags);
    const real g = gradient_of(s, column, sum, s.parameters[column]);
    s.gradients[column] = g;
    if (flags & UPDATE) {
        const Corrections corrections = bias_corrections(s, __ldcg(&s.counters[STEPS_TAKEN]));
        descend(s, corrections, g, s.parameters[column], s.moment1[column], s.moment2[column]);
    }
}

// True in the last block to arrive. Tickets are never reset: every launch of a workspace draws as many.
__device__ bool is_last_block(const Step& s, real* scratch) {
    __threadfence(); // the partials are in memory before the ticket is drawn
    __syncthreads();
    if (threadIdx.x == 0) {
        const unsigned long long ticket = atomicAdd(reinterpret_cast<unsigned long long*>(&s.counters[TICKETS]), 1ull);
        scratch[0] = ticket % gridDim.x == gridDim.x - 1;
    }
    __syncthreads();
    const bool last = scratch[0] != 0;
    __threadfence();
    return last;
}

__device__ void count_step(const Step& s, int flags) {
    if (flags & UPDATE && blockIdx.x == 0 && threadIdx.x == 0) s.counters[STEPS_TAKEN] += 1;
}

// What follows the writing of the partials: with FINISH, the last block to come here turns them into the step.
__device__ void finish_if_last(const Step& s, int flags, real* scratch) {
    count_step(s, flags);
    if (!(flags & FINISH) || !is_last_block(s, scratch)) return;
    const int width = min(s.n + 2, int(blockDim.x));
    for (int column = 0; column < s.n + 2; column += width)
        finish_columns(s, gridDim.x, column, width, flags, scratch);
}

// ---- One pass where a row's weights fit into the registers of a warp ----

const int RING = 2;                                   // tiles of a warp: one worked on, the other on its way
const int GROUPS = 32 / LANES;                        // rows that a warp works on side by side
const int WARP_ROWS = GROUPS * ROWS;                  // rows of a warp's tile
const int HELD = ROWS > LANES ? ROWS / LANES : 1;     // rows of which a thread finds the residual
const int SHARING = LANES > ROWS ? LANES / ROWS : 1;  // threads that find the same one
const int REALS = VECTORS * WORD;                     // weights, and sums, that a thread keeps

struct alignas(WORD * sizeof(real)) Vector {
    real values[WORD];
};

// A thread's place in its warp. It keeps the columns (lane + LANES·v)·WORD …, of rows group, group + GROUPS, ….
struct Place {
    int lane, group;
};

__device__ Place place_in_warp() { return {int(threadIdx.x) % LANES, int(threadIdx.x) % 32 / LANES}; }

// The tile of a warp begins at row `first`, a multiple of WARP_ROWS, and with it at a whole word.
__device__ int rows_of_warp(const Step& s, int64 first) { return int(max(min(s.m - first, int64(WARP_ROWS)), int64(0))); }

__device__ void fetch_by_warp(const Step& s, char* stage, int64 first) {
    const int bytes = rows_of_warp(s, first) * s.n * int(sizeof(real));
    const char* from = reinterpret_cast<const char*>(s.X + first * s.n);
    for (int offset = threadIdx.x % 32 * WORD_BYTES; offset < bytes; offset += 32 * WORD_BYTES)
        copy_word(stage + offset, from + offset);
    close_group();
}

// The signs of the rows whose residuals this thread finds; 0 beyond the last row of X.
__device__ void read_signs(const Step& s, Place place, int64 first, real (&sign_out)[HELD]) {
#pragma unroll
    for (int held = 0; held < HELD; ++held) {
        const int64 row = first + (place.lane / SHARING * HELD + held) * GROUPS + place.group;
        sign_out[held] = row < s.m ? s.sign[row] : 0;
    }
}

// The vectors of a row that this thread keeps columns of; zeros where there are no columns.
__device__ void read_row(const Step& s, Place place, const real* row, real (&x_out)[REALS]) {
#pragma unroll
    for (int v = 0; v < VECTORS; ++v) {
        const int column = (place.lane + LANES * v) * WORD;
        Vector vector = {};
        if (v < VECTORS - 1 || column < s.n) vector = *reinterpret_cast<const Vector*>(row + column);
#pragma unroll
        for (int e = 0; e < WORD; ++e) x_out[v * WORD + e] = vector.values[e];
    }
}

// Add up each row's parts over the lanes. Half of the rows go to half of the lanes, again and again, so that all the
// sums take ROWS − 1 exchanges and not ROWS·log LANES; what is left of a row that way is for all who share it.
__device__ void add_over_lanes(int lane, real (&parts)[ROWS]) {
    int rows = ROWS;
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2) {
        if (rows == 1) {
            parts[0] += __shfl_xor_sync(~0u, parts[0], distance);
            continue;
        }
        rows /= 2;
        const bool upper = lane & distance;
#pragma unroll
        for (int row = 0; row < ROWS / 2; ++row) {
            if (row >= rows) break;
            const real given = upper ? parts[row] : parts[row + rows], kept = upper ? parts[row + rows] : parts[row];
            parts[row] = kept + __shfl_xor_sync(~0u, given, distance);
        }
    }
}

// A warp's tile: margins, residuals, and Σ r·x from the copy that is still in shared memory. Adds to sums, loss, r_sum.
__device__ void work_through(
    const Step& s, Place place, const real* tile, int rows, const real (&w)[REALS], real b, const real (&sign)[HELD],
    real (&sums)[REALS], real& loss, real& r_sum) {
    real parts[ROWS], r[HELD], x[REALS], tile_sums[REALS] = {};
#pragma unroll
    for (int k = 0; k < ROWS; ++k) { // beyond the last row the last again, whose r is then 0
        read_row(s, place, tile + min(k * GROUPS + place.group, rows - 1) * s.n, x);
        parts[k] = 0;
#pragma unroll
        for (int j = 0; j < REALS; ++j) parts[k] += x[j] * w[j];
    }
    add_over_lanes(place.lane, parts);
#pragma unroll
    for (int held = 0; held < HELD; ++held) {
        const Outcome here = outcome(parts[held] + b, sign[held]);
        r[held] = here.r;
        if (sign[held] != 0 && place.lane % SHARING == 0) {
            loss += here.loss;
            r_sum += here.r;
        }
    }
#pragma unroll
    for (int k = 0; k < ROWS; ++k) {
        const real r_of_row = __shfl_sync(~0u, r[k % HELD], k / HELD * SHARING, LANES);
        read_row(s, place, tile + min(k * GROUPS + place.group, rows - 1) * s.n, x);
#pragma unroll
        for (int j = 0; j < REALS; ++j) tile_sums[j] += r_of_row * x[j];
    }
#pragma unroll
    for (int j = 0; j < REALS; ++j) sums[j] += tile_sums[j];
}

// The sums of the block's warps, one after another: the first n of its partials. A warp's lie where its ring was.
__device__ void write_sums_of_warps(
    const Step& s, Place place, real (&sums)[REALS], int ring_bytes, real* partials_out) {
    real* own = reinterpret_cast<real*>(shared_memory() + threadIdx.x / 32 * ring_bytes);
    __syncwarp(); // every lane has left the last tile
#pragma unroll
    for (int j = 0; j < REALS; ++j) {
#pragma unroll
        for (int distance = LANES; distance < 32; distance *= 2)
            sums[j] += __shfl_xor_sync(~0u, sums[j], distance);
        const int column = (place.lane + LANES * (j / WORD)) * WORD + j % WORD;
        if (place.group == 0 && column < s.n) own[column] = sums[j];
    }
    __syncthreads();
    for (int j = threadIdx.x; j < s.n; j += blockDim.x) {
        real sum = 0;
        for (int warp = 0; warp < WARPS; ++warp)
            sum += reinterpret_cast<const real*>(shared_memory() + warp * ring_bytes)[j];
        partials_out[j] = sum;
    }
}

// The whole step, as `gradient`, but every warp goes through tiles of its own at its own pace: weights and sums stay in
// registers, and no barrier of the block comes before the sums of its warps are added up. A block a multiprocessor, so
// that few partial sums are left to add up at the end.
extern "C" __global__ void __launch_bounds__(32 * WARPS, 1) gradient_by_warps(const Step s, const int flags) {
    const Place place = place_in_warp();
    const int warp = threadIdx.x / 32, tile_bytes = WARP_ROWS * s.n * int(sizeof(real));
    char* ring = shared_memory() + warp * RING * tile_bytes;
    real* scratch = reinterpret_cast<real*>(shared_memory() + WARPS * RING * tile_bytes);
    const int64 stride = int64(gridDim.x) * WARPS * WARP_ROWS;
    int64 first = (int64(blockIdx.x) * WARPS + warp) * WARP_ROWS;
    fetch_by_warp(s, ring, first);
    real w[REALS], sums[REALS] = {}, sign[HELD], next_sign[HELD], loss = 0, r_sum = 0;
    read_row(s, place, s.parameters, w);
    const real b = s.parameters[s.n];
    read_signs(s, place, first, next_sign);
    for (int stage = 0; first < s.m; first += stride, stage = 1 - stage) {
#pragma unroll
        for (int held = 0; held < HELD; ++held) sign[held] = next_sign[held];
        read_signs(s, place, first + stride, next_sign);
        wait_until_open<0>();
        __syncwarp(); // every lane's copies are here, and every lane has left the tile before
        fetch_by_warp(s, ring + (1 - stage) * tile_bytes, first + stride);
        const real* tile = reinterpret_cast<const real*>(ring + stage * tile_bytes);
        work_through(s, place, tile, rows_of_warp(s, first), w, b, sign, sums, loss, r_sum);
    }
    real* partials_out = s.partials + int64(blockIdx.x) * (s.n + 2);
    write_sums_of_warps(s, place, sums, RING * tile_bytes, partials_out);
    write_shares(s, s.parameters, loss, r_sum, scratch, partials_out);
    finish_if_last(s, flags, scratch);
}

#ifdef EVERY_KERNEL

// ---- By blocks, and the other kernels ----

// The whole step in one launch. Tiles are dealt to the blocks in turn; while one is worked on, the next two are on
// their way. The first barrier of a tile says two things: it has arrived for every thread, and every thread has left
// the tile before it, whose place in the ring the next copy takes.
extern "C" __global__ void __launch_bounds__(256, 3) gradient(const Step s, const int flags) {
    const Block block = block_memory(s, STAGES);
    const int64 stride = int64(gridDim.x) * s.rows;
    int64 first = int64(blockIdx.x) * s.rows;
    for (int ahead = 0; ahead < STAGES - 1; ++ahead)
        fetch(s, block.ring + ahead * stage_bytes(s), first + ahead * stride);
    for (int j = threadIdx.x; j <= s.n; j += blockDim.x) block.w[j] = s.parameters[j];
    clear_sums(s, block);
    real loss = 0, r_sum = 0;
    for (int stage = 0; first < s.m; first += stride, stage = (stage + 1) % STAGES) {
        wait_until_open<STAGES - 2>();
        __syncthreads();
        const int freed = (stage + STAGES - 1) % STAGES;
        fetch(s, block.ring + freed * stage_bytes(s), first + (STAGES - 1) * stride);
        const Tile tile = fetched(s, block.ring + stage * stage_bytes(s), first);
        find_margins(s, block, tile);
        __syncthreads();
        find_residuals(s, block, tile, loss, r_sum);
        __syncthreads();
        accumulate(s, block, tile);
    }
    write_partials(s, block, loss, r_sum, s.partials + blockIdx.x * (s.n + 2));
    finish_if_last(s, flags, block.scratch);
}

// 32 columns a block, so that the partial sums of a wide problem are read by many. Scratch: a real for each thread.
extern "C" __global__ void __launch_bounds__(256) finish(const Step s, const int count, const int flags) {
    finish_columns(s, count, blockIdx.x * 32, 32, flags, reinterpret_cast<real*>(shared_memory()));
}

// One block.
extern "C" __global__ void __launch_bounds__(256) update(const Step s) {
    count_step(s, UPDATE);
    __syncthreads();
    const Corrections corrections = bias_corrections(s, s.counters[STEPS_TAKEN]);
    for (int column = threadIdx.x; column <= s.n; column += blockDim.x)
        descend(s, corrections, s.gradients[column], s.parameters[column], s.moment1[column], s.moment2[column]);
}

// Wait until every block of the grid is here: all of them run at once, which a cooperative launch guarantees. Arrivals
// are counted up for ever, a multiple of the grid at every barrier.
__device__ void synchronize_grid(const Step& s) {
    __syncthreads();
    if (threadIdx.x == 0 && gridDim.x > 1) {
        unsigned long long* arrivals = reinterpret_cast<unsigned long long*>(&s.counters[BARRIER_ARRIVALS]);
        __threadfence();
        const unsigned long long before = atomicAdd(arrivals, 1ull);
        const unsigned long long complete = (before / gridDim.x + 1) * gridDim.x;
        while (*static_cast<volatile unsigned long long*>(arrivals) < complete) rest();
        __threadfence();
    }
    __syncthreads();
}

// `steps` steps in one cooperative launch. Each block keeps its rows in shared memory all along, so that X is read from
// memory once for all the steps. In each step the blocks exchange their partial sums through L2, and every block adds
// up all of them, in the same order, and updates its own copy of the parameters: one barrier a step instead of two. The
// partials alternate between two buffers, since a block may write its next ones while another still reads these.
extern "C" __global__ void __launch_bounds__(512, 1) train(const Step s, const int64 steps, real* costs_out) {
    const Block block = block_memory(s, 1);
    const int64 first = int64(blockIdx.x) * s.rows, taken = s.counters[STEPS_TAKEN];
    const int columns = s.n + 2, width = min(columns, int(blockDim.x));
    fetch(s, block.ring, first);
    for (int j = threadIdx.x; j <= s.n; j += blockDim.x) {
        block.w[j] = s.parameters[j];
        block.moment1[j] = s.moment1[j];
        block.moment2[j] = s.moment2[j];
    }
    wait_until_open<0>();
    __syncthreads();
    const Tile tile = fetched(s, block.ring, first);
    for (int64 k = 0; k < steps; ++k) {
        real* partials = s.partials + (k % 2) * gridDim.x * columns;
        real loss = 0, r_sum = 0;
        clear_sums(s, block);
        find_margins(s, block, tile);
        __syncthreads();
        find_residuals(s, block, tile, loss, r_sum);
        __syncthreads();
        accumulate(s, block, tile);
        write_partials(s, block, loss, r_sum, partials + blockIdx.x * columns);
        const Corrections corrections = bias_corrections(s, taken + k + 1);
        synchronize_grid(s);
        for (int start = 0; start < columns; start += width) {
            const real sum = sum_of_partials(s, partials, gridDim.x, start, width, block.scratch);
            const int column = start + threadIdx.x;
            if (threadIdx.x >= width || column >= columns) continue;
            if (column <= s.n) {
                const real g = gradient_of(s, column, sum, block.w[column]);
                descend(s, corrections, g, block.w[column], block.moment1[column], block.moment2[column]);
                if (blockIdx.x == 0) s.gradients[column] = g;
            } else if (blockIdx.x == 0) {
                *s.J = sum;
                costs_out[k] = sum;
            }
        }
        __syncthreads();
    }
    if (blockIdx.x > 0) return;
    for (int j = threadIdx.x; j <= s.n; j += blockDim.x) {
        s.parameters[j] = block.w[j];
        s.moment1[j] = block.moment1[j];
        s.moment2[j] = block.moment2[j];
    }
    if (threadIdx.x == 0) s.counters[STEPS_TAKEN] = taken + steps;
}

// ---- Two passes, where a row is too long for shared memory ----

// A block a row: r for each row, and the partial sums of J and gb. The rows are dealt to the blocks in turn.
extern "C" __global__ void __launch_bounds__(256) row_residuals(const Step s, real* r_out, const int flags) {
    real* scratch = reinterpret_cast<real*>(shared_memory());
    real loss = 0, r_sum = 0, squares = 0;
    for (int64 row = blockIdx.x; row < s.m; row += gridDim.x) {
        real sum = 0;
#pragma unroll 8
        for (int j = threadIdx.x; j < s.n; j += blockDim.x) sum += s.X[row * s.n + j] * s.parameters[j];
        const Outcome here = outcome(s.parameters[s.n] + sum_of_block(sum, scratch), s.sign[row]);
        if (threadIdx.x == 0) r_out[row] = here.r;
        loss += here.loss;
        r_sum += here.r;
    }
    if (blockIdx.x == 0)
        for (int j = threadIdx.x; j < s.n; j += blockDim.x) squares += s.parameters[j] * s.parameters[j];
    const real penalty = real(0.5 * s.l2) * sum_of_block(squares, scratch);
    if (threadIdx.x == 0) {
        real* partials = s.partials + int64(blockIdx.x) * (s.n + 2);
        partials[s.n] = r_sum;
        partials[s.n + 1] = loss / s.m + penalty;
    }
    count_step(s, flags);
}

// Block (c, p): a thread a column of the c-th group of columns, down every gridDim.y-th row from row p on.
extern "C" __global__ void __launch_bounds__(256) column_sums(const Step s, const real* r) {
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= s.n) return;
    real sum = 0;
#pragma unroll 8
    for (int64 row = blockIdx.y; row < s.m; row += gridDim.y) sum += r[row] * s.X[row * s.n + column];
    s.partials[int64(blockIdx.y) * (s.n + 2) + column] = sum;
}

#endif
