/* Made by random_streams.py; key random_key(7, "dropout.fc1"), place {1, 2, 3}. */
static const uint64_t vector_key = 0x00542AD1F29EDC76;
static const double vector_uniform[] = {0.7557679176930846, 0.8377546425778032, 0.4876355674531273, 0.29863583759169354, 0.429697374333202};
static const double vector_far_uniform[] = {0.182881875809917, 0.5097170526422824, 0.872488317696457, 0.6038506170226525};
static const double vector_normal[] = {0.879600595942036, -0.3479305881390192, 0.888868685878664, 1.5139544472771274, -0.26417451639403394};
static const double vector_beta_small[] = {0.8114059515237122, 0.0025827121503656228, 0.015032374675051063, 4.4812143773390685e-05,
                                           0.731991996366483};
static const double vector_beta_large[] = {0.45249286419355206, 0.32834023471511553, 0.03932399292054424, 0.10769060419500917,
                                           0.12739385710256923};
static const uint64_t vector_below_1000[] = {755, 837, 487, 298, 429, 91};
static const int32_t vector_permutation[] = {5, 9, 3, 1, 2, 8, 4, 7, 10, 6, 0, 11};
static const char vector_mask[] = "1111011101110010111111110100110110101111"; /* from element 8, rate 0.25 */
