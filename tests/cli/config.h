/* The training that these tests run: the embedded digits, a small mlp, 90 steps in a few hundredths of a second. */
#ifndef TESTS_CLI_CONFIG_H
#define TESTS_CLI_CONFIG_H

#define SMALL_DATA  "\"data\": {\"source\": \"digits\", \"limit\": 320, \"validation\": 0.1}"
#define SMALL_MODEL "\"model\": {\"type\": \"mlp\", \"hidden\": [16]}"
#define SMALL_TRAIN "\"train\": {\"epochs\": 3, \"batch\": 32, \"optimizer\": {\"type\": \"adamw\", \"lr\": 0.005}}"
#define SMALL_RUN   "{" SMALL_DATA ", " SMALL_MODEL ", " SMALL_TRAIN "}"

#endif
