#!/bin/sh
# Measures all that docs/speed.md speaks of, and writes OUT/measured/speed.md and the charts of OUT/speed/.
#   sh tests/bench/speed.sh BUILD PYTHON [RESULTS [OUT]]
# PYTHON has torch, numpy and safetensors. Every part leaves its table in RESULTS (BUILD/bench-results) as NAME.md and NAME.json; a part whose
# table is there is not measured again, so that this can be stopped and started. OUT is docs, whose files are in the repository, unless another
# folder is named; RESULTS "" is the usual one. Paths are relative to the source folder. Takes about an hour; nothing else should run.
set -eu

# refuse LINE...
refuse() {
    printf 'speed.sh: %s\n' "$@" >&2
    exit 2
}

if [ $# -lt 2 ] || [ $# -gt 4 ]; then
    echo 'usage: sh tests/bench/speed.sh BUILD PYTHON [RESULTS [OUT]]' >&2
    exit 2
fi
cd "$(dirname "$0")/../.."
build=$1
python=$2
results=${3:-$build/bench-results}
out=${4:-docs}
page=$out/measured/speed.md
bench=$build/tests/bench/bench
[ -x "$bench" ] || refuse "$bench is not there: BUILD is a release build with tests, as \"meson setup BUILD && ninja -C BUILD\" makes it"
why=$("$python" -c 'import torch, numpy, safetensors' 2>&1) ||
    refuse "$python cannot import torch, numpy and safetensors: name a python that has them, or install them for it" "${why##*
}"
mkdir -p "$results" "$out/measured"

# part NAME ARGUMENT...: one command of bench.
part() {
    name=$1
    shift
    [ ! -e "$results/$name.md" ] || return 0
    echo "== $name" >&2
    "$bench" "$@" --json "$results/$name.json" >"$results/$name.new"
    mv "$results/$name.new" "$results/$name.md"
}

part steps steps --rounds 9
part scaling scaling
part calls calls
part tricks tricks
part hooks hooks
part start start
part data data
part checkpoint checkpoint "$results"
part compare compare
part growth growth
echo "== speed.py" >&2
python3 tests/bench/speed.py --build "$build" --python "$python" --out "$results" --compute f32 bf16 >"$results/speed.md"
"$bench" plots "$results" "$out/speed"

# section TITLE NAME TEXT
section() {
    printf '\n## %s\n\n%s\n\n' "$1" "$3"
    cat "$results/$2.md"
}

{
    cat <<END
# Speed

What these numbers mean, whom they favour and where knack loses: [docs/speed.md](../speed.md). Everything here is written by the command.

| | |
|---|---|
| command | \`sh tests/bench/speed.sh BUILD PYTHON\`, with a python that has torch, numpy and safetensors |
| date | $(date +%F) |
$("$bench" machine)
| against | PyTorch $("$python" -c 'import torch; print(torch.__version__)'), CPU |
END
    section 'Beside PyTorch' speed 'Losses of the first two steps from the same weights, without dropout; then times of a step. Columns of PyTorch: eager with the allocator of the C library; eager
and torch.compile with jemalloc that keeps its memory. Ratios are medians over rounds in which all took turns. Middle 80 %: where four fifths of the steps lie; *, of rounds of fewer than ten steps: all of them. MB: most memory resident while training.'
    section 'Share of the machine' steps 'One thread, f32. GFLOP: the arithmetic that a step needs. Tenths: a tenth of the steps is faster than the first, a tenth slower than the second; *, of rounds of fewer than ten steps: the fastest and the slowest. % of product: of the best rate of a
product of two 1024 x 1024 matrices in the same rounds. Faults: page faults a step.'
    section 'Two threads, and bf16' scaling 'Gains are medians over rounds in which all four took turns; same bits: equal weights with one thread and with two, in f32 and in bf16.'
    section 'What a step asks of the system' calls 'A steady step, one thread: calls of the allocator, and by tracing the kernel.'
    section 'Tricks' tricks 'The time of a step with the trick, in steps without it: median over rounds, and the rounds of least and greatest. Options are the defaults. fgm and pgd attack weights: of the encoder the
embedding, of the others conv1 and fc1; "in a layer", like freelb: the input, of the encoder the output of the embedding.'
    section 'Hooks' hooks 'In this process, in a loop.'
    section 'From nothing to the first step' start 'Files in the cache of the system, results to memory.'
    section 'Data' data 'Drawing the order, reading and converting a batch, by one thread.'
    section 'Checkpoints' checkpoint 'Weights and the state of AdamW, flushed before the clock is read.'
    section 'Comparisons' compare 'The whole command: two arms of an mlp on the digits, with report. Trials run with one thread each.'
    section 'Growth' growth 'One thread, f32; charts in [docs/speed.md](../speed.md). The value is the size that is changed.'
} >"$page"
