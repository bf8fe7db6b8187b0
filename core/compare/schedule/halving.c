#include "compare/schedule/halving.h"

int64_t halving_rounds(int64_t arms)
{
    int64_t rounds = 0;
    for (int64_t reach = 1; reach < arms; reach *= 2) rounds++;
    return rounds > 0 ? rounds : 1;
}

int64_t halving_survivors(int64_t left)
{
    return (left + 1) / 2;
}

int64_t halving_new_blocks(int64_t arms, int64_t seeds, int64_t left)
{
    int64_t blocks = seeds * arms / (left * halving_rounds(arms));
    return blocks > 0 ? blocks : 1;
}

int64_t halving_blocks(int64_t arms, int64_t seeds, int64_t rounds)
{
    int64_t blocks = 0, left = arms;
    for (int64_t r = 0; r < rounds; r++) {
        blocks += halving_new_blocks(arms, seeds, left);
        left = halving_survivors(left);
    }
    return blocks;
}
