// The fastest read of an array there is: sixteen bytes a load, four loads of every thread under way, nothing kept.
//
// What was read is folded together by exclusive or, which suits every type and is done before the next word comes. A
// thread stores its fold only if it is the one that is wanted: next to never, but the compiler cannot leave out a load.
// read_limit_cuda.py compiles this file with NVRTC.

__device__ unsigned folded(uint4 words) { return words.x ^ words.y ^ words.z ^ words.w; }

// Reads the `words` 32-bit words at X, aligned to 16 bytes, so many times in one launch.
extern "C" __global__ void read_array(
    const uint4* X, unsigned long long words, int times, unsigned wanted, unsigned* fold_out) {
    const unsigned long long vectors = words / 4, rest = words % 4;
    const unsigned long long stride = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
    const unsigned long long first = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    unsigned fold = 0;
    for (int time = 0; time < times; ++time) {
        unsigned long long i = first;
        for (; i + 3 * stride < vectors; i += 4 * stride) {
            const uint4 a = X[i], b = X[i + stride], c = X[i + 2 * stride], d = X[i + 3 * stride];
            fold ^= folded(a) ^ folded(b) ^ folded(c) ^ folded(d);
        }
        for (; i < vectors; i += stride) fold ^= folded(X[i]);
        if (first < rest) fold ^= reinterpret_cast<const unsigned*>(X + vectors)[first];
        __syncthreads(); // to the compiler, X may have changed: the next time is read again
    }
    if (fold == wanted) *fold_out = fold;
}
