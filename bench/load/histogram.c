#include "load.h"

enum { SUB = 1 << HISTOGRAM_SUB_BITS };

/* Values below SUB have a bucket each; above, the top bits after the leading one choose it. */
static unsigned bucket_of(uint64_t value)
{
    if (value < SUB)
        return (unsigned)value;
    unsigned shift = 63 - HISTOGRAM_SUB_BITS - (unsigned)__builtin_clzll(value);
    return ((shift + 1) << HISTOGRAM_SUB_BITS) + (unsigned)((value >> shift) & (SUB - 1));
}

static double middle_of(unsigned bucket)
{
    if (bucket < SUB)
        return bucket;
    unsigned shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    uint64_t low = (uint64_t)(SUB + (bucket & (SUB - 1))) << shift;
    return (double)low + (double)(1ull << shift) / 2;
}

void histogram_record(struct histogram *h, uint64_t value)
{
    h->count++;
    h->buckets[bucket_of(value)]++;
    if (value > h->max)
        h->max = value;
}

double histogram_quantile(const struct histogram *h, double q)
{
    double wanted = q * (double)h->count;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen && (double)seen >= wanted)
            return middle_of(i) < (double)h->max ? middle_of(i) : (double)h->max;
    }
    return (double)h->max;
}
