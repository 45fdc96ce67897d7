// A fused step of logistic regression over a row-major X, (m, n): every row goes forward and back in one pass.
//
// Where X is large, the products of the next rows with w and those of the rows before with their residuals are in one
// loop over the columns, so that a load from memory is always under way. The rows that are taken at once lie far apart,
// each in a run of its own: as many plain streams for the hardware's prefetcher. Where X lies in the caches, the same
// loop over a copy in tiles: a vector holds one feature of many rows, no lane is empty, none are summed until the end.
//
// Vectors are the compiler's own (GCC's and Clang's vector extensions), as wide as the processor has them. What X is kept
// in may be narrower than what is computed with (T): `Kept` is its element, and each load of a vector widens it.

#if defined(__AVX2__)
#include <immintrin.h>
#endif
#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

struct Step {  // what every call is given by address; `Step` of the row mirrors it
    const void* X;        // (m, n), or in tiles: (tiles, n, rows in a tile); elements as `storage` says
    const float* scales;  // (n,), of the columns of int8; null for 1
    const uint32_t* labels;  // y, a word for each vector of rows in the order in which they are met, a bit for each row
    void *parameters, *gradients, *moment1, *moment2;  // (n + 1,), the bias last
    void *J, *costs;                                   // (1,) and (steps,)
    char* scratch;                                     // as many bytes as `scratch_bytes` says, from a cache line on
    int64_t m, n, steps, taken;                        // taken: updates so far
    int64_t shares, in_tiles, in_parallel, adam;       // in_parallel: a single step, too, takes a thread for each share
    int64_t storage;                                   // of X: 0 as it is computed with, 1 float16, 2 bfloat16, 3 int8
    double l2, learning_rate, beta1, beta2, epsilon, log_beta1, log_beta2;
};

namespace {

#if defined(__AVX512F__)
constexpr int BYTES = 64, AT_ONCE = 8;  // of a vector; rows taken at once, as many as there are registers for
#elif defined(__AVX2__)
constexpr int BYTES = 32, AT_ONCE = 4;
#else
constexpr int BYTES = 16, AT_ONCE = 4;
#endif
constexpr int LINE = 64;                        // bytes of a cache line
constexpr int64_t LAG = 2, KEPT = 4;            // groups between forward and back; groups whose residuals are kept
constexpr int64_t GROUP_BYTES = 4096, MOST = 8;  // of a group, and so many rows at once: LAG + 1 lie in the first cache
constexpr int64_t AHEAD = 16;                   // columns of tiles ahead that are asked for: 2,000 x 50 gains 4 %
constexpr int SPINS = 2000;                     // some 50 us, before a member of a team lets others run

template <class T> struct Kind;
template <> struct Kind<double> {
    typedef double vector __attribute__((vector_size(BYTES)));
    typedef int64_t bits __attribute__((vector_size(BYTES)));
    static constexpr double lowest = -746.0, to_integer = 0x1.8p52 + 64, log2e = 1.4426950408889634;
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double series[] = {
        2.0914679376583935e-09, 2.510520637395701e-08,  2.7557273661348637e-07, 2.7557255425746435e-06,
        2.4801587325533363e-05, 0.00019841269874800493, 0.0013888888888883752,  0.008333333333326141,
        0.04166666666666667,    0.1666666666666667,     0.5};
    static constexpr int64_t sign = INT64_MIN;
    static constexpr int exponent = 52, rows_a_logarithm = 960;
};
template <> struct Kind<float> {
    typedef float vector __attribute__((vector_size(BYTES)));
    typedef int32_t bits __attribute__((vector_size(BYTES)));
    static constexpr float lowest = -104.0f, to_integer = 0x1.8p23f + 64, log2e = 1.4426950408889634f;
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.1219444005469058e-4f;
    static constexpr float series[] = {0.00019890980869750327f, 0.0013933641031986701f, 0.008333310934448869f,
                                       0.04166646500604005f,    0.16666666681614256f,   0.5000000013457727f};
    static constexpr int32_t sign = INT32_MIN;
    static constexpr int exponent = 23, rows_a_logarithm = std::min(960, 120 * BYTES / 4);  // 120 to a lane
};
template <class T> using Vector = typename Kind<T>::vector;
template <class T> using Bits = typename Kind<T>::bits;
template <class T> constexpr int LANES = BYTES / int(sizeof(T));

template <class T> inline Vector<T> load(const T* p) {
    Vector<T> v;
    std::memcpy(&v, p, BYTES);
    return v;
}

struct Half {
    uint16_t bits;
};
struct Bfloat {
    uint16_t bits;
};

template <class T, class Kept> using Packed [[gnu::vector_size(LANES<T> * sizeof(Kept))]] = Kept;

// Whole numbers, widened: in a processor's own instruction, which GCC 12 does not find.
#if defined(__AVX512F__)
inline Bits<float> widened(Packed<float, uint16_t> h) { return (Bits<float>)_mm512_cvtepu16_epi32((__m256i)h); }
inline Bits<float> widened(Packed<float, int8_t> q) { return (Bits<float>)_mm512_cvtepi8_epi32((__m128i)q); }
#elif defined(__AVX2__)
inline Bits<float> widened(Packed<float, uint16_t> h) { return (Bits<float>)_mm256_cvtepu16_epi32((__m128i)h); }
inline Bits<float> widened(Packed<float, int8_t> q) {
    return (Bits<float>)_mm256_cvtepi8_epi32(_mm_cvtsi64_si128((int64_t)q));
}
#else
inline Bits<float> widened(Packed<float, uint16_t> h) { return __builtin_convertvector(h, Bits<float>); }
inline Bits<float> widened(Packed<float, int8_t> q) { return __builtin_convertvector(q, Bits<float>); }
#endif

// A half, whose bits are shifted into a float's, lacks 112 in its exponent, below its smallest normal number too; a
// multiplication gives it back.
inline Vector<float> of_halves(Packed<float, uint16_t> h) {
#if defined(__AVX512F__)
    return (Vector<float>)_mm512_cvtph_ps((__m256i)h);
#elif defined(__AVX2__) && defined(__F16C__)
    return (Vector<float>)_mm256_cvtph_ps((__m128i)h);
#else
    const Bits<float> wide = widened(h);
    return (Vector<float>)((wide & 0x8000) << 16 | (wide & 0x7fff) << 13) * 0x1p112f;
#endif
}

// A vector of X as it is computed with.
template <class T> inline Vector<T> loaded(const T* p) { return load(p); }
template <class T> inline Vector<T> loaded(const Half* p) {
    Packed<T, uint16_t> h;
    std::memcpy(&h, p, sizeof h);
    return of_halves(h);
}
template <class T> inline Vector<T> loaded(const Bfloat* p) {
    Packed<T, uint16_t> h;
    std::memcpy(&h, p, sizeof h);
    return (Vector<T>)(widened(h) << 16);
}
template <class T> inline Vector<T> loaded(const int8_t* p) {
    Packed<T, int8_t> q;
    std::memcpy(&q, p, sizeof q);
    return __builtin_convertvector(widened(q), Vector<T>);
}
// So many of them, the others zero: nothing is read behind them.
template <class T, class Kept> inline Vector<T> loaded_part(const Kept* p, int64_t count) {
    Kept some[LANES<T>] = {};
    std::memcpy(some, p, count * sizeof(Kept));
    return loaded<T>(some);
}

template <class T> inline void store(T* p, Vector<T> v) { std::memcpy(p, &v, BYTES); }
template <class T> inline Vector<T> all(T x) { return Vector<T>{} + x; }
template <class T> inline Vector<T> magnitude(Vector<T> x) {
    return (Vector<T>)((Bits<T>)x & ~Kind<T>::sign);
}
template <class T> inline double sum_of(Vector<T> v) {
    double total = 0;
    for (int k = 0; k < LANES<T>; k++) total += v[k];
    return total;
}

// Lane by lane a or b, whose bit `d` of the lane's number says which, plus the lane that is d away.
template <class T, int d, size_t... I> inline Vector<T> merged(Vector<T> a, Vector<T> b, std::index_sequence<I...>) {
    constexpr int n = LANES<T>;
#ifdef __clang__
    return __builtin_shufflevector(a, b, (int(I) & d ? n + int(I) : int(I))...) +
           __builtin_shufflevector(a, b, (int(I) & d ? n + (int(I) ^ d) : int(I) ^ d)...);
#else
    return __builtin_shuffle(a, b, Bits<T>{(int(I) & d ? n + int(I) : int(I))...}) +
           __builtin_shuffle(a, b, Bits<T>{(int(I) & d ? n + (int(I) ^ d) : int(I) ^ d)...});
#endif
}

// The sums of the lanes of `count` vectors, one behind the other into z: pairs are merged as their lanes are added.
template <class T, int count, int d = 1> inline void store_sums(Vector<T>* v, T* z) {
    constexpr auto lanes = std::make_index_sequence<LANES<T>>{};
    if constexpr (d == LANES<T>) {
        for (int k = 0; k < count; k++) store(z + k * LANES<T>, v[k]);
    } else if constexpr (count == 1) {
        Vector<T> folded = merged<T, d>(v[0], v[0], lanes);
        if constexpr (2 * d < LANES<T>) store_sums<T, 1, 2 * d>(&folded, z);
        else std::memcpy(z, &folded, AT_ONCE * sizeof(T));
    } else {
        for (int k = 0; k < count / 2; k++) v[k] = merged<T, d>(v[2 * k], v[2 * k + 1], lanes);
        store_sums<T, count / 2, 2 * d>(v, z);
    }
}

// e^x for x <= 0 to within one unit in the last place; NaN stays NaN. x = k ln 2 + r, and the exponent is set 64 too
// high and taken back by a multiplication, so that results below the smallest normal number are rounded once.
template <class T> inline Vector<T> exponential(Vector<T> x) {
    using K = Kind<T>;
    x = x < K::lowest ? all<T>(K::lowest) : x;
    Vector<T> rounded = x * K::log2e + K::to_integer, k = rounded - K::to_integer;
    Vector<T> r = x - k * K::ln2_high;
    r = r - k * K::ln2_low;
    constexpr int terms = sizeof(K::series) / sizeof(T);
    Vector<T> square = r * r, chains[] = {all<T>(K::series[0]), all<T>(K::series[1])};  // two, each half as long
    for (int i = 2; i < terms; i++) chains[i % 2] = chains[i % 2] * square + K::series[i];
    Vector<T> excess = (chains[terms % 2] * r + chains[1 - terms % 2]) * square + r;
    return (Vector<T>)((Bits<T>)(excess + T(1)) + ((Bits<T>)rounded << K::exponent)) * T(0x1p-64);
}

// Over rows: of r; of max(t, 0); and what is over 1 in the product of 1 + exp(-|t|), which loses nothing when tiny.
template <class T> struct Sums {
    Vector<T> r{}, linear{}, excess{};
};

// The sign bit where a row's label is 1: bit k of the word, which fills all lanes, belongs to lane k.
template <class T, size_t... I> inline Bits<T> signs_of(uint32_t labels, std::index_sequence<I...>) {
    typedef uint32_t words __attribute__((vector_size(BYTES)));
    return (Bits<T>)(words{} + labels) << Bits<T>{31 - int(I)...} & Kind<T>::sign;
}

// The residuals r = (1 - 2y) s(t) in the place of the margins z, for t = (1 - 2y)(z + bias); adds to the sums. The loss
// is softplus(t) = max(t, 0) + log1p(exp(-|t|)). `part`: behind the last row t is minus infinity, which adds nothing.
template <class T, bool part>
inline void residuals(const uint32_t* labels, T bias, int64_t group, int64_t rows, T* z, Sums<T>& sums) {
    constexpr int n = LANES<T>;
    for (int64_t i = 0; i < group; i += n) {
        const Bits<T> sign = signs_of<T>(labels[i / n], std::make_index_sequence<n>{});
        Vector<T> t = (Vector<T>)((Bits<T>)(load(z + i) + bias) ^ sign);
        if constexpr (part)
            for (int64_t k = 0; k < n; k++) t[k] = i + k < rows ? t[k] : T(-INFINITY);
        Vector<T> e = exponential<T>(-magnitude<T>(t)), one = all<T>(1), zero{};
        Vector<T> r = (Vector<T>)((Bits<T>)((t < zero ? e : one) / (e + one)) ^ sign);
        sums.r += r;
        sums.linear += t > zero ? t : zero;
        sums.excess += e * sums.excess + e;
        store(z + i, r);
    }
}

inline int64_t rounded_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// What one share of the rows is added up in: X'r in float64, and behind it the loss and the sum of r.
struct Total {
    double *columns, *loss, *r;
};

inline int64_t doubles_of_total(int64_t n) { return rounded_up(n, 16) + 16; }

inline Total total_of(const Step& s, double* totals, int64_t share) {
    double* own = totals + share * doubles_of_total(s.n);
    return {own, own + rounded_up(s.n, 16), own + rounded_up(s.n, 16) + 1};
}

template <class T> inline void flush(Sums<T>& sums, Total total) {
    double growth = 0;  // of the product over the lanes, without cancellation
    for (int k = 0; k < LANES<T>; k++) growth += double(sums.excess[k]) * growth + double(sums.excess[k]);
    *total.loss += sum_of<T>(sums.linear) + std::log1p(growth);
    *total.r += sum_of<T>(sums.r);
    sums = {};
}

// --- groups of rows, which go forward and back together: some rows as they lie, or a tile

template <class T> constexpr int64_t ROWS_IN_TILE = AT_ONCE * LANES<T>;

template <class T, bool tiles> int64_t rows_in_group(int64_t n) {
    if (tiles) return ROWS_IN_TILE<T>;
    constexpr int64_t vectors = std::max(1, LANES<T> / AT_ONCE);
    int64_t times = std::clamp<int64_t>(GROUP_BYTES / (n * int64_t(sizeof(T)) * AT_ONCE), 1, MOST);
    return rounded_up(times, vectors) * AT_ONCE;
}

// Where a share begins, how many rows it has, how many make a group, and how many groups there are: of rows as they lie
// only whole ones, behind which a vector may still be read.
struct Share {
    int64_t first, rows, group, groups;
};
template <class T, bool tiles> Share share_of(const Step& s, int64_t share) {
    const int64_t group = rows_in_group<T, tiles>(s.n), rows = rounded_up(s.m, s.shares * group) / s.shares;
    const int64_t first = std::min(share * rows, s.m), own = std::min(rows, s.m - first);
    const int64_t within = tiles ? own + group - 1 : std::max<int64_t>(own - rounded_up(LANES<T>, s.n) / s.n, 0);
    return {first, own, group, within / group};
}

// The margins z, without the bias, of the rows at once from `next` on; adds X'r of those from `before` on to the sums.
// w and the sums are vectors to the end: what is behind a row meets a zero of w, and adds to columns that nobody reads.
template <class T, class Kept>
inline void both_ways(const Kept* next, const Kept* before, int64_t stride, int64_t n, const T* w, const T* r, T* z,
                      T* sums) {
    Vector<T> margins[AT_ONCE] = {}, factors[AT_ONCE];
    for (int k = 0; k < AT_ONCE; k++) factors[k] = all<T>(r[k]);
    for (int64_t j = 0; j < n; j += LANES<T>) {
        Vector<T> wj = load(w + j), even = load(sums + j), odd{};
#pragma GCC unroll 8
        for (int k = 0; k < AT_ONCE; k++) {
            margins[k] += wj * loaded<T>(next + k * stride + j);
            (k % 2 ? odd : even) += factors[k] * loaded<T>(before + k * stride + j);
        }
        store(sums + j, even + odd);
    }
    store_sums<T, AT_ONCE>(margins, z);
}

// The same for tiles, (n, rows): a vector of sums for each column.
template <class T, class Kept>
inline void tiles_both_ways(const Kept* next, const Kept* before, int64_t n, const T* w, const T* r, T* z, T* sums) {
    constexpr int L = LANES<T>;
    Vector<T> margins[AT_ONCE] = {}, factors[AT_ONCE];
    for (int k = 0; k < AT_ONCE; k++) factors[k] = load(r + k * L);
    for (int64_t j = 0; j < n; j++, next += ROWS_IN_TILE<T>, before += ROWS_IN_TILE<T>) {
        for (int byte = 0; byte < int(ROWS_IN_TILE<T> * sizeof(Kept)); byte += LINE)
            __builtin_prefetch(reinterpret_cast<const char*>(next + AHEAD * ROWS_IN_TILE<T>) + byte);
        Vector<T> wj = all<T>(w[j]), even = load(sums + j * L), odd{};
#pragma GCC unroll 8
        for (int k = 0; k < AT_ONCE; k++) {
            margins[k] += wj * loaded<T>(next + k * L);
            (k % 2 ? odd : even) += factors[k] * loaded<T>(before + k * L);
        }
        store(sums + j * L, even + odd);
    }
    for (int k = 0; k < AT_ONCE; k++) store(z + k * L, margins[k]);
}

template <class T, bool tiles> inline int64_t places_of_sums(int64_t n) {
    return tiles ? n * LANES<T> : rounded_up(n, LANES<T>);
}

template <class T, bool tiles> inline void flush(Sums<T>& sums, T* column_sums, int64_t n, Total total) {
    flush(sums, total);
    for (int64_t j = 0; j < n; j++)
        total.columns[j] += tiles ? sum_of<T>(load(column_sums + j * LANES<T>)) : column_sums[j];
    std::fill_n(column_sums, places_of_sums<T, tiles>(n), T(0));
}

// The rows behind the last group, of which nothing is read that is behind X. w is a vector to the end.
template <class T, class Kept>
void accumulate_rest(const Kept* X, const uint32_t* labels, int64_t m, int64_t n, const T* w, T bias, T* column_sums,
                     Sums<T>& sums) {
    const int64_t whole = n - n % LANES<T>;
    T z[LANES<T>] = {};
    for (int64_t i = 0; i < m; i += LANES<T>, X += LANES<T> * n) {
        const int64_t rows = std::min<int64_t>(m - i, LANES<T>);
        const auto vector_of = [&](int64_t k, int64_t j) {
            return j < whole ? loaded<T>(X + k * n + j) : loaded_part<T>(X + k * n + j, n - j);
        };
        for (int64_t k = 0; k < rows; k++) {
            Vector<T> products{};
            for (int64_t j = 0; j < n; j += LANES<T>) products += load(w + j) * vector_of(k, j);
            z[k] = T(sum_of<T>(products));
        }
        residuals<T, true>(labels + i / LANES<T>, bias, LANES<T>, rows, z, sums);
        for (int64_t k = 0; k < rows; k++)
            for (int64_t j = 0; j < n; j += LANES<T>)
                store(column_sums + j, load(column_sums + j) + all<T>(z[k]) * vector_of(k, j));
    }
}

// The sums over one share of the rows. Before there is anything to go back, the first group meets residuals of zero;
// the last one goes forward once more, for nobody, while the ones before it go back. The residuals of a group are found
// while the next one is on its way.
template <class T, class Kept, bool tiles>
void accumulate(const Step& s, const T* parameters, int64_t number, T* scratch, Total total) {
    const Share share = share_of<T, tiles>(s, number);
    const int64_t n = s.n, group = share.group, places = places_of_sums<T, tiles>(n);
    T *column_sums = scratch, *kept = column_sums + places, *w = kept + KEPT * group;
    std::fill_n(scratch, places + KEPT * group + rounded_up(n, LANES<T>), T(0));
    for (int64_t j = 0; j < n; j++) w[j] = s.scales ? T(parameters[j] * s.scales[j]) : parameters[j];
    const Kept* X = static_cast<const Kept*>(s.X) + share.first * n;
    const T bias = parameters[n];
    const uint32_t* labels = s.labels + share.first / LANES<T>;
    const int64_t run = share.groups * (group / AT_ONCE), length = tiles ? group * n : group / AT_ONCE * n;
    Sums<T> sums;
    int64_t pending = 0;
    for (int64_t k = 0; k < (share.groups ? share.groups + LAG : 0); k++) {
        T *z = kept + k % KEPT * group, *r = kept + (k + KEPT - LAG) % KEPT * group;
        const Kept* next = X + std::min(k, share.groups - 1) * length;
        const Kept* before = X + std::max<int64_t>(k - LAG, 0) * length;
        if constexpr (tiles) tiles_both_ways(next, before, n, w, r, z, column_sums);
        else
            for (int64_t at = 0; at < group; at += AT_ONCE, next += n, before += n)
                both_ways(next, before, run * n, n, w, r + at, z + at, column_sums);
        const int64_t rows = share.rows - k * group;
        if (k < share.groups && rows >= group)
            residuals<T, false>(labels + k * group / LANES<T>, bias, group, group, z, sums);
        else if (k < share.groups) residuals<T, true>(labels + k * group / LANES<T>, bias, group, rows, z, sums);
        if ((pending += group) + group > Kind<T>::rows_a_logarithm) {
            flush<T, tiles>(sums, column_sums, n, total);
            pending = 0;
        }
    }
    flush<T, tiles>(sums, column_sums, n, total);
    const int64_t done = share.groups * group;
    if constexpr (!tiles) {
        accumulate_rest(X + done * n, labels + done / LANES<T>, share.rows - done, n, w, bias, column_sums, sums);
        flush<T, tiles>(sums, column_sums, n, total);
    }
}

// --- a step

template <class T> int64_t scratch_of_share(const Step& s) {  // bytes
    const int64_t columns = s.in_tiles ? places_of_sums<T, true>(s.n) : places_of_sums<T, false>(s.n);
    const int64_t group = s.in_tiles ? rows_in_group<T, true>(s.n) : rows_in_group<T, false>(s.n);
    return rounded_up((columns + KEPT * group + rounded_up(s.n, LANES<T>)) * sizeof(T), 2 * LINE);
}

// Scratch holds two sets of totals, which alternate, then what each share works in, then the state of each member.
inline double* totals_of(const Step& s, int64_t set) {
    return reinterpret_cast<double*>(s.scratch) + set * s.shares * doubles_of_total(s.n);
}

// For what X is kept in, and how it lies.
template <class T> using Accumulation = void (*)(const Step&, const T*, int64_t, T*, Total);
template <class T, class Kept> Accumulation<T> accumulation_of_kept(const Step& s) {
    return s.in_tiles ? accumulate<T, Kept, true> : accumulate<T, Kept, false>;
}
template <class T> Accumulation<T> accumulation_of(const Step& s) {
    if constexpr (std::is_same_v<T, float>) {
        if (s.storage == 1) return accumulation_of_kept<T, Half>(s);
        if (s.storage == 2) return accumulation_of_kept<T, Bfloat>(s);
        if (s.storage == 3) return accumulation_of_kept<T, int8_t>(s);
    }
    return accumulation_of_kept<T, T>(s);
}

template <class T> void accumulate_share(const Step& s, const T* parameters, int64_t share, double* totals) {
    char* scratch = s.scratch + 2 * s.shares * doubles_of_total(s.n) * sizeof(double);
    T* own = reinterpret_cast<T*>(scratch + share * scratch_of_share<T>(s));
    std::fill_n(totals + share * doubles_of_total(s.n), doubles_of_total(s.n), 0.0);
    accumulation_of<T>(s)(s, parameters, share, own, total_of(s, totals, share));
}

template <class T> struct State {
    T *parameters, *gradients, *moment1, *moment2;  // (n + 1,), the bias last
};

template <class T> State<T> state_of(const Step& s) {
    return {static_cast<T*>(s.parameters), static_cast<T*>(s.gradients), static_cast<T*>(s.moment1),
            static_cast<T*>(s.moment2)};
}

template <class T> State<T> copied_state(const Step& s, int64_t member) {
    const int64_t places = rounded_up(s.n + 1, 2 * LINE / sizeof(T));
    char* behind = s.scratch + s.shares * (2 * doubles_of_total(s.n) * sizeof(double) + scratch_of_share<T>(s));
    T* own = reinterpret_cast<T*>(behind) + 4 * places * member;
    const void* originals[] = {s.parameters, s.gradients, s.moment1, s.moment2};
    for (int k = 0; k < 4; k++) std::memcpy(own + k * places, originals[k], (s.n + 1) * sizeof(T));
    return {own, own + places, own + 2 * places, own + 3 * places};
}

// The cost J, and the gradient from the totals of the shares, added in order.
template <class T> T finish(const Step& s, double* totals, State<T> state) {
    const Total sum = total_of(s, totals, 0);
    double r = *sum.r, loss = *sum.loss, penalty = 0;
    for (int64_t share = 1; share < s.shares; share++) {
        r += *total_of(s, totals, share).r;
        loss += *total_of(s, totals, share).loss;
    }
    for (int64_t j = 0; j < s.n; j++) {
        double total = sum.columns[j], w = state.parameters[j];
        for (int64_t share = 1; share < s.shares; share++) total += total_of(s, totals, share).columns[j];
        state.gradients[j] = T(total * (s.scales ? s.scales[j] : 1.0f) / s.m + s.l2 * w);
        penalty += w * w;
    }
    state.gradients[s.n] = T(r / s.m);
    return T(loss / s.m + 0.5 * s.l2 * penalty);
}

template <class T> T gradient(const Step& s, State<T> state) {
    double* totals = totals_of(s, 0);
    if (s.in_parallel) {
#pragma omp parallel for num_threads(int(s.shares)) schedule(static, 1)
        for (int64_t share = 0; share < s.shares; share++) accumulate_share(s, state.parameters, share, totals);
    } else {
        for (int64_t share = 0; share < s.shares; share++) accumulate_share(s, state.parameters, share, totals);
    }
    return finish(s, totals, state);
}

// Gradient descent, or Adam, whose bias corrections belong to the update of this number; the first is 1.
template <class T> void update(const Step& s, State<T> state, int64_t number) {
    const int64_t n = s.n + 1;
    if (!s.adam) {
        for (int64_t j = 0; j < n; j++)
            state.parameters[j] = T(state.parameters[j] - s.learning_rate * state.gradients[j]);
        return;
    }
    const double correction1 = -std::expm1(double(number) * s.log_beta1);
    const double correction2 = -std::expm1(double(number) * s.log_beta2);
    for (int64_t j = 0; j < n; j++) {
        const double g = state.gradients[j];
        state.moment1[j] = T(s.beta1 * state.moment1[j] + (1 - s.beta1) * g);
        state.moment2[j] = T(s.beta2 * state.moment2[j] + (1 - s.beta2) * g * g);
        const double direction = state.moment1[j] / correction1, root = std::sqrt(state.moment2[j] / correction2);
        state.parameters[j] = T(state.parameters[j] - s.learning_rate * direction / (root + s.epsilon));
    }
}

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Arrive, and wait until as many have: members more at each meeting. OpenMP's own barrier calls the system each time.
inline void meet(std::atomic<int64_t>& arrivals, int64_t expected) {
    arrivals.fetch_add(1, std::memory_order_acq_rel);
    for (int spins = 0; arrivals.load(std::memory_order_acquire) < expected; spins++) {
        if (spins < SPINS) pause();
        else sched_yield();
    }
}

// For the time of a training a processor for each member, counted from the caller's own: threads that wake together
// are put on one, and stay there for some 30 ms.
#ifdef __linux__
class Placed {
  public:
    Placed(int64_t member, int first) {
        if (sched_getaffinity(0, sizeof(before), &before)) return;
        int64_t skip = member % CPU_COUNT(&before);
        int cpu = first;
        while (!CPU_ISSET(cpu, &before) || skip-- > 0) cpu = (cpu + 1) % CPU_SETSIZE;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        placed = !sched_setaffinity(0, sizeof(one), &one);
    }
    ~Placed() {
        if (placed) sched_setaffinity(0, sizeof(before), &before);
    }

  private:
    cpu_set_t before;
    bool placed = false;
};
#else
class Placed {
  public:
    Placed(int64_t, int) {}
};
inline int sched_getcpu() { return 0; }
#endif

// Every member accumulates its shares and makes each update for itself, on a state of its own: one meeting a step,
// because totals alternate.
template <class T> void train_in_team(const Step& s) {
    alignas(2 * LINE) std::atomic<int64_t> arrivals{0};
    const int first = std::max(sched_getcpu(), 0);
#pragma omp parallel num_threads(int(s.shares))
    {
        const int64_t member = omp_get_thread_num(), members = omp_get_num_threads();
        const Placed here(member, first);
        const State<T> state = member ? copied_state<T>(s, member) : state_of<T>(s);
        for (int64_t k = 0; k < s.steps; k++) {
            double* totals = totals_of(s, k % 2);
            for (int64_t share = member; share < s.shares; share += members)
                accumulate_share(s, state.parameters, share, totals);
            meet(arrivals, (k + 1) * members);
            const T J = finish(s, totals, state);
            if (!member) static_cast<T*>(s.costs)[k] = J;
            update(s, state, s.taken + k + 1);
        }
    }
}

template <class T> void train(Step& s, bool in_team) {
    T* costs = static_cast<T*>(s.costs);
    if (in_team) train_in_team<T>(s);
    else
        for (int64_t k = 0; k < s.steps; k++) {
            costs[k] = gradient(s, state_of<T>(s));
            update(s, state_of<T>(s), s.taken + k + 1);
        }
    s.taken += s.steps;
    if (s.steps) *static_cast<T*>(s.J) = costs[s.steps - 1];
}

// The labels y, each 0 or 1, (m,), as `Step` has them; words are zero before.
template <class T> void pack_labels(const Step& s, const int8_t* y, uint32_t* words) {
    for (int64_t share = 0; share < s.shares; share++) {
        const Share own = s.in_tiles ? share_of<T, true>(s, share) : share_of<T, false>(s, share);
        const int64_t apart = s.in_tiles ? 0 : own.groups * own.group, run = apart / AT_ONCE;
        for (int64_t k = 0; k < own.rows; k++) {
            const int64_t row = k < apart ? k % AT_ONCE * run + k / AT_ONCE : k, place = own.first + k;
            words[place / LANES<T>] |= uint32_t(y[own.first + row]) << place % LANES<T>;
        }
    }
}

// Of elements of any kind, which are computed with as T.
template <class T, class Kept> void copy_into_tiles(const Kept* X, int64_t m, int64_t n, Kept* tiles) {
    constexpr int64_t rows = ROWS_IN_TILE<T>;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) tiles[(i / rows * n + j) * rows + i % rows] = X[i * n + j];
}

}  // namespace

// What the row calls, for each dtype.
#define EXPORTED(T, dtype)                                                                                          \
    int64_t rows_in_tile_##dtype() { return ROWS_IN_TILE<T>; }                                                      \
    int64_t scratch_bytes_##dtype(const Step* s) {                                                                  \
        return s->shares * (2 * doubles_of_total(s->n) * int64_t(sizeof(double)) + scratch_of_share<T>(*s) +        \
                            4 * rounded_up(s->n + 1, 2 * LINE / sizeof(T)) * int64_t(sizeof(T)));                   \
    }                                                                                                               \
    void pack_labels_##dtype(const Step* s, const int8_t* y, uint32_t* words) { pack_labels<T>(*s, y, words); }     \
    void gradient_##dtype(Step* s) { *static_cast<T*>(s->J) = gradient(*s, state_of<T>(*s)); }                      \
    void update_##dtype(Step* s) { update(*s, state_of<T>(*s), ++s->taken); }                                       \
    void step_##dtype(Step* s) { gradient_##dtype(s), update_##dtype(s); }                                          \
    void train_##dtype(Step* s) { train<T>(*s, false); }                                                            \
    void train_in_team_##dtype(Step* s) { train<T>(*s, true); }

#define COPIED_INTO_TILES(T, Kept, dtype) \
    void copy_into_tiles_##dtype(const Kept* X, int64_t m, int64_t n, Kept* to) { copy_into_tiles<T>(X, m, n, to); }

extern "C" {
EXPORTED(float, float32)
EXPORTED(double, float64)
COPIED_INTO_TILES(float, float, float32)
COPIED_INTO_TILES(double, double, float64)
COPIED_INTO_TILES(float, int16_t, int16)
COPIED_INTO_TILES(float, uint16_t, uint16)
COPIED_INTO_TILES(float, int8_t, int8)
int threads() { return omp_get_max_threads(); }
}
