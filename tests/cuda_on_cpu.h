// CUDA C++ on one CPU core, to execute kernels where there is no GPU. Included before a .cu file that a host compiler
// compiles as C++.
//
// Every CUDA thread is a fiber (a ucontext) and runs until it waits: at a barrier, a shuffle, or in a spin loop. That
// gives the kernel's arithmetic and its synchronization, not its speed. Three things are worse than on a GPU, on
// purpose:
//   - the order in which fibers run is chosen by the caller: as numbered, backwards, or at random with whole warps held
//     back and blocks interleaved, so that a missing barrier gives a wrong number in some order;
//   - an asynchronous copy happens either at once or only when it is waited for, as the caller chooses, so that a
//     missing wait, and a copy into a stage still in use, each give a wrong number in one of the two;
//   - shared memory begins as NaN, ends at a guard, and a launch that waits for ever is an error.
//
// A fiber is begun by swapcontext and goes on by _longjmp, which makes no system call; that is why nothing may check
// where a jump goes to.
#pragma once

#undef _FORTIFY_SOURCE
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#define __global__ __attribute__((visibility("default")))
#define __device__ inline
#define __launch_bounds__(...)

using std::exp;
using std::expm1;
using std::fabs;
using std::fmax;
using std::log1p;
using std::max;
using std::min;
using std::sqrt;

struct Index {
    unsigned x, y, z;
};

namespace cpu {

const size_t STACK_BYTES = 64 * 1024;
const unsigned WARP = 32;
const char GUARD = 0x5A;
const size_t GUARD_BYTES = 256;

struct Barrier {
    unsigned arrived = 0;
    unsigned generation = 0;
};

struct Warp {
    Barrier barrier;
    char values[2][WARP][16]; // of two shuffles in a row: a lane may be one ahead
};

struct Copy {
    char* to;
    const char* from;
};

struct Block {
    Index index;
    Barrier barrier;
    std::vector<Warp> warps;
    std::unique_ptr<char[]> storage;
    char* shared;
};

struct Thread {
    Index index;
    Block* block;
    ucontext_t context; // where it begins
    jmp_buf waiting;    // where it goes on
    std::unique_ptr<char[]> stack;
    bool begun = false;
    std::deque<std::vector<Copy>> copies{1}; // closed groups, and last the open one
    unsigned shuffles = 0;
    bool finished = false;
};

struct Launch {
    Index grid, block_size;
    size_t shared_bytes;
    unsigned order;  // 0: as numbered, 1: backwards, else the seed of an order drawn again in every round
    bool lazy;       // asynchronous copies happen when they are waited for
    void (*call)(void**);
    void** arguments;
};

inline Launch launch;
inline Thread* current;
inline ucontext_t before_the_first;
inline jmp_buf scheduler;
inline bool progress; // something happened that may let a waiting thread go on

[[noreturn]] inline void fail(const char* reason) {
    std::fprintf(stderr, "cuda_on_cpu: %s\n", reason);
    std::abort();
}

// Back to the scheduler, until it lets the current thread go on.
inline void yield() {
    if (_setjmp(current->waiting) == 0) _longjmp(scheduler, 1);
}

// Let the current thread run until it waits.
inline void resume() {
    if (_setjmp(scheduler) != 0) return;
    if (current->begun) _longjmp(current->waiting, 1);
    current->begun = true;
    swapcontext(&before_the_first, &current->context);
}

inline void wait_for_all(Barrier& barrier, unsigned count) {
    const unsigned generation = barrier.generation;
    if (++barrier.arrived == count) {
        barrier.arrived = 0;
        ++barrier.generation;
        progress = true;
    }
    while (barrier.generation == generation) yield();
}

inline void run_thread() {
    launch.call(launch.arguments);
    current->finished = progress = true;
    yield();
}

inline void put_in_order(std::vector<size_t>& numbers, std::mt19937& random) {
    if (launch.order == 1) std::reverse(numbers.begin(), numbers.end());
    if (launch.order > 1) std::shuffle(numbers.begin(), numbers.end(), random);
}

inline std::unique_ptr<Thread> new_thread(Block* block, unsigned x) {
    auto thread = std::make_unique<Thread>();
    thread->index = {x, 0, 0};
    thread->block = block;
    thread->stack.reset(new char[STACK_BYTES]);
    getcontext(&thread->context);
    thread->context.uc_stack.ss_sp = thread->stack.get();
    thread->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&thread->context, run_thread, 0);
    return thread;
}

// Run the threads of these blocks to their ends, all at once.
inline void run_together(const std::vector<Block*>& blocks, std::mt19937& random) {
    std::vector<std::unique_ptr<Thread>> threads;
    for (Block* block : blocks)
        for (unsigned x = 0; x < launch.block_size.x; ++x) threads.push_back(new_thread(block, x));
    std::vector<bool> held_back(threads.size() / WARP + 1);
    size_t idle_rounds = 0, round = 0;
    std::vector<size_t> ready;
    for (bool running = true; running; ++round) {
        if (launch.order > 1 && (idle_rounds > 0 || round % 16 == 0))
            for (size_t warp = 0; warp < held_back.size(); ++warp) held_back[warp] = random() % 4 > 0;
        running = progress = false;
        ready.clear();
        for (size_t i = 0; i < threads.size(); ++i) {
            running = running || !threads[i]->finished;
            if (!threads[i]->finished && !held_back[i / WARP]) ready.push_back(i);
        }
        put_in_order(ready, random);
        for (size_t i : ready) {
            current = threads[i].get();
            resume();
        }
        idle_rounds = progress ? 0 : idle_rounds + 1;
        if (running && idle_rounds > 200) fail("every thread waits: a barrier that some threads do not reach");
    }
}

inline std::unique_ptr<Block> new_block(Index index) {
    auto block = std::make_unique<Block>();
    block->index = index;
    block->warps.resize((launch.block_size.x + WARP - 1) / WARP);
    block->storage.reset(new char[launch.shared_bytes + GUARD_BYTES + 256]);
    block->shared = block->storage.get() + (256 - reinterpret_cast<uintptr_t>(block->storage.get()) % 256);
    std::memset(block->shared, 0xFF, launch.shared_bytes);
    std::memset(block->shared + launch.shared_bytes, GUARD, GUARD_BYTES);
    return block;
}

inline void check_guard(const Block& block) {
    for (size_t i = 0; i < GUARD_BYTES; ++i)
        if (block.shared[launch.shared_bytes + i] != GUARD) fail("written past the end of shared memory");
}

// All blocks of a cooperative launch run at once; else one after the other, or a few at once in a random order.
inline void run(const Launch& wanted, bool cooperative) {
    launch = wanted;
    std::mt19937 random(launch.order);
    std::vector<std::unique_ptr<Block>> blocks;
    for (unsigned y = 0; y < launch.grid.y; ++y)
        for (unsigned x = 0; x < launch.grid.x; ++x) blocks.push_back(new_block({x, y, 0}));
    const size_t at_once = cooperative ? blocks.size() : launch.order > 1 ? 6 : 1;
    std::vector<Block*> together;
    std::vector<size_t> order(blocks.size());
    std::iota(order.begin(), order.end(), 0);
    put_in_order(order, random);
    for (size_t i : order) {
        together.push_back(blocks[i].get());
        if (together.size() < at_once) continue;
        run_together(together, random);
        together.clear();
    }
    run_together(together, random);
    for (auto& block : blocks) check_guard(*block);
}

template <class... Parameters, size_t... I>
void call_kernel(void (*kernel)(Parameters...), void** arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_const_t<Parameters>*>(arguments[I])...);
}

template <class... Parameters> void call_kernel(void (*kernel)(Parameters...), void** arguments) {
    call_kernel(kernel, arguments, std::index_sequence_for<Parameters...>());
}

} // namespace cpu

#define threadIdx (cpu::current->index)
#define blockIdx (cpu::current->block->index)
#define blockDim (cpu::launch.block_size)
#define gridDim (cpu::launch.grid)

inline void __syncthreads() { cpu::wait_for_all(cpu::current->block->barrier, blockDim.x); }
inline void __threadfence() {}

inline cpu::Warp& warp_of_thread() { return cpu::current->block->warps[threadIdx.x / cpu::WARP]; }

inline void __syncwarp() { cpu::wait_for_all(warp_of_thread().barrier, cpu::WARP); }

// The value of another lane of the warp.
template <class T> T value_of_lane(T value, unsigned from) {
    auto& values = warp_of_thread().values[cpu::current->shuffles++ % 2];
    std::memcpy(values[threadIdx.x % cpu::WARP], &value, sizeof value);
    __syncwarp();
    std::memcpy(&value, values[from], sizeof value);
    return value;
}

template <class T> T __shfl_xor_sync(unsigned, T value, int distance) {
    return value_of_lane(value, (threadIdx.x % cpu::WARP) ^ distance);
}

template <class T> T __shfl_sync(unsigned, T value, int lane, int width) {
    return value_of_lane(value, threadIdx.x % cpu::WARP / width * width + lane);
}

template <class T> T __ldcg(const T* address) { return *address; }

inline unsigned long long atomicAdd(unsigned long long* address, unsigned long long value) {
    cpu::progress = true;
    return std::exchange(*address, *address + value);
}

// ---- What the kernels leave to the target ----

inline char* shared_memory() { return cpu::current->block->shared; }

inline void rest() { cpu::yield(); }

inline void copy_word(char* to, const char* from) {
    if (cpu::launch.lazy) cpu::current->copies.back().push_back({to, from});
    else std::memcpy(to, from, 16);
}

inline void close_group() { cpu::current->copies.emplace_back(); }

template <int OPEN> void wait_until_open() {
    auto& groups = cpu::current->copies;
    for (; groups.size() > OPEN + 1; groups.pop_front())
        for (const cpu::Copy& copy : groups.front()) std::memcpy(copy.to, copy.from, 16);
}

// A launch function that Python finds by the kernel's name.
#define LAUNCHABLE(kernel)                                                                                             \
    extern "C" void launch_##kernel(unsigned x, unsigned y, unsigned threads, size_t shared_bytes, unsigned order,     \
                                    bool lazy, bool cooperative, void** arguments) {                                   \
        const auto call = [](void** values) { cpu::call_kernel(kernel, values); };                                     \
        cpu::run({{x, y, 1}, {threads, 1, 1}, shared_bytes, order, lazy, call, arguments}, cooperative);               \
    }
