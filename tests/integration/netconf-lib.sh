# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced after lib.sh by the tests of src/netconf: drives netconf-tool in the namespace $HOST.

TOOL_PROGRAM=$BUILD/tests/integration/netconf-tool
TOOL_UNDER=() # a program to run it under

# tool NAME: starts a tool; `say` talks to the last one started or chosen by `use`.
declare -A TOOL_IN=() TOOL_OUT=()
tool() {
	mkfifo "$T/$1.in" "$T/$1.out"
	ip netns exec "$PREFIX$HOST" "${TOOL_UNDER[@]}" "$TOOL_PROGRAM" "$T/run" <"$T/$1.in" >"$T/$1.out" 2>"$T/$1.log" &
	PIDS[$1]=$!
	local in out
	exec {in}>"$T/$1.in" {out}<"$T/$1.out"
	rm "$T/$1.in" "$T/$1.out"
	TOOL_IN[$1]=$in TOOL_OUT[$1]=$out
	use "$1"
}
use() {
	TOOL=$1
}

# say LINE…: sends the lines; ANSWER is the answer to the last one, EVENTS what came before it. Fails on "error".
say() {
	local line
	for line in "$@"; do
		echo "$line" >&"${TOOL_IN[$TOOL]}"
		EVENTS=
		while :; do
			IFS= read -r -t 20 -u "${TOOL_OUT[$TOOL]}" ANSWER || { ANSWER="error no answer to: $line" && break; }
			[[ $ANSWER == event* ]] || break
			EVENTS+="$ANSWER"$'\n'
		done
		[[ $ANSWER == ok* ]] || return 1
	done
}

# does DESCRIPTION LINE…: say, as a test point. refuses: the last line is answered with an error that matches REGEX.
does() {
	if say "${@:2}"; then ok "$1"; else not_ok "$1" "$ANSWER" "$(cat "$T/$TOOL.log")"; fi
}
refuses() {
	if say "${@:3}"; then not_ok "$1" "accepted: $ANSWER"; else like "$1" "$ANSWER" "$2"; fi
}

# Ends a tool and with it its interface: by the end of its input, or by a signal.
end_tool() {
	local in=${TOOL_IN[$1]} out=${TOOL_OUT[$1]} status=0
	[ $# -lt 2 ] || kill -"$2" "${PIDS[$1]}"
	exec {in}>&-
	ended "$1" 2>/dev/null || status=$?
	exec {out}<&-
	unset "TOOL_IN[$1]" "TOOL_OUT[$1]"
	return $status
}
