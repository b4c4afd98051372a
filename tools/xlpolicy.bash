# SPDX-License-Identifier: LGPL-2.1-only
# bash completion for xlpolicy. What may come next `xlpolicy complete` knows, from the same table as
# its help; a first line that says "files" leaves the rest to the shell.

_xlpolicy() {
    local line=${COMP_LINE:0:COMP_POINT} words answer word
    # By blanks alone: bash would take "sim:FILE" and "key=value" apart.
    read -ra words <<<"$line"
    [[ $line == *' ' ]] && words+=('')
    mapfile -t answer < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
    if [[ ${answer[0]} != words ]]; then
        compopt -o default
        return
    fi
    word=${words[-1]}
    COMPREPLY=()
    for answer in "${answer[@]:1}"; do
        # bash completes what stands after the last ":" or "=".
        [[ $word == *[:=]* ]] && answer=${answer#"${word%"${word##*[:=]}"}"}
        [[ $answer == *[:=] ]] && compopt -o nospace
        COMPREPLY+=("$(printf '%q' "$answer")")
    done
}
complete -F _xlpolicy xlpolicy
