/*
 * What memory costs a lazy sparse step: Adam on 1,000 random rows of a table of ROWS × 64, other rows in each step,
 * against Adam on 1,000 rows in a tensor of their own. SSE2, as WebAssembly's kernels are, with and without instructions
 * that prefetch, which WebAssembly does not have.
 *
 *   cc -O3 -msse2 apps/bench/native/sparse-rows.c -o sparse-rows && ./sparse-rows 1000000
 */
#include <emmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { columns = 64, rows = 1000, sets = 256, rounds = 301, stepsPerRound = 5, ahead = 8 };

typedef struct {
  float *p, *m, *v;
} Tensors;

static void adam(Tensors t, const float *g, size_t first, size_t count) {
  const __m128 c1 = _mm_set1_ps(0.1f), c2 = _mm_set1_ps(0.001f);
  const __m128 rate = _mm_set1_ps(1e-3f), epsilon = _mm_set1_ps(1e-7f);
  for (size_t i = first; i < first + count; i += 4, g += 4) {
    const __m128 gradient = _mm_loadu_ps(g);
    __m128 m = _mm_loadu_ps(t.m + i), v = _mm_loadu_ps(t.v + i), p = _mm_loadu_ps(t.p + i);
    m = _mm_add_ps(m, _mm_mul_ps(_mm_sub_ps(gradient, m), c1));
    v = _mm_add_ps(v, _mm_mul_ps(_mm_sub_ps(_mm_mul_ps(gradient, gradient), v), c2));
    p = _mm_sub_ps(p, _mm_div_ps(_mm_mul_ps(m, rate), _mm_add_ps(_mm_sqrt_ps(v), epsilon)));
    _mm_storeu_ps(t.m + i, m);
    _mm_storeu_ps(t.v + i, v);
    _mm_storeu_ps(t.p + i, p);
  }
}

static void prefetch(Tensors t, size_t first) {
  for (size_t i = first; i < first + columns; i += 16) {
    _mm_prefetch((const char *)(t.p + i), _MM_HINT_T0);
    _mm_prefetch((const char *)(t.m + i), _MM_HINT_T0);
    _mm_prefetch((const char *)(t.v + i), _MM_HINT_T0);
  }
}

typedef enum { alone, sameRows, otherRows, sameRowsPrefetched, otherRowsPrefetched, kinds } Kind;

static void step(Kind kind, Tensors small, Tensors table, const float *g, const uint32_t *set) {
  if (kind == alone) {
    adam(small, g, 0, rows * columns);
    return;
  }
  const int isPrefetched = kind >= sameRowsPrefetched;
  for (int i = 0; i < rows; i += 1) {
    if (isPrefetched && i + ahead < rows) prefetch(table, (size_t)set[i + ahead] * columns);
    adam(table, g + (size_t)i * columns, (size_t)set[i] * columns, columns);
  }
}

static uint32_t seed = 1;
static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

static float *values(size_t count) {
  float *array = aligned_alloc(4096, (count * sizeof(float) + 4095) / 4096 * 4096);
  if (array == NULL) exit(1);
  /* Written once, so that each page is there. */
  memset(array, 0, count * sizeof(float));
  return array;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  const size_t tableRows = count > 1 ? strtoul(arguments[1], NULL, 10) : 1000000;
  const size_t size = tableRows * columns;
  const Tensors table = {values(size), values(size), values(size)};
  const size_t smallSize = rows * columns;
  const Tensors small = {values(smallSize), values(smallSize), values(smallSize)};
  float *gradients = values(2 * smallSize);
  for (size_t i = 0; i < 2 * smallSize; i += 1) gradients[i] = next() % 1000 * 1e-3f - 0.5f;
  static uint32_t indices[sets][rows];
  for (int set = 0; set < sets; set += 1)
    for (int i = 0; i < rows; i += 1) indices[set][i] = next() % tableRows;

  static double times[kinds][rounds];
  for (int round = 0; round < rounds; round += 1)
    for (int kind = 0; kind < kinds; kind += 1) {
      double start = 0;
      /* The first step is not timed. */
      for (int i = 0; i <= stepsPerRound; i += 1) {
        const int set =
            kind == otherRows || kind == otherRowsPrefetched ? (round * (stepsPerRound + 1) + i) % sets : 0;
        if (i == 1) start = now();
        step(kind, small, table, gradients + i % 2 * smallSize, indices[set]);
      }
      times[kind][round] = (now() - start) / stepsPerRound;
    }

  const char *names[] = {"rows alone", "same rows", "other rows", "same rows, prefetched",
                         "other rows, prefetched"};
  printf("%zu x %d, %d rows a step\n%-24s %10s %10s %8s\n", tableRows, columns, rows, "", "median",
         "fastest", "ratio");
  double base = 0;
  for (int kind = 0; kind < kinds; kind += 1) {
    qsort(times[kind], rounds, sizeof(double), ascending);
    const double median = times[kind][rounds / 2];
    if (kind == alone) base = median;
    printf("%-24s %7.1f us %7.1f us %7.2fx\n", names[kind], median, times[kind][0], median / base);
  }
  return 0;
}
