#!/bin/sh
# Whether all C files are formatted by the committed .clang-format, as clang-format 14 (Debian 12's) does it.
#   check_format.sh SOURCE-FOLDER CLANG-FORMAT
set -eu
cd "$1"
find core include plugins tests examples -name '*.[ch]' ! -path 'tests/vectors/*' -print | sort | xargs "$2" --dry-run -Werror
