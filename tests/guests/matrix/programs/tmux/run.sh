export TERM=xterm TMUX_TMPDIR=$PWD
unset TMUX
wait_for() { for _ in $(seq 300); do tmux capture-pane -p | grep -q "$1" && return; sleep 0.1; done; echo "no $1"; tmux capture-pane -p; }
tmux -f /dev/null new-session -d -x 80 -y 24 'bash --norc --noprofile -i' || exit 1
tmux send-keys 'PS1="> "; stty size; echo $((6 * 7))-there' Enter; wait_for '^42-there'
tmux capture-pane -p | grep -E '^(24|23) 80'
tmux send-keys 'sleep 100' Enter; sleep 1; tmux send-keys C-z; wait_for Stopped
tmux send-keys 'jobs; bg; fg' Enter; sleep 1; tmux send-keys C-c; sleep 0.5
tmux send-keys 'echo status $?' Enter; wait_for '^status 130'
tmux resize-window -x 100 -y 30; tmux send-keys 'clear; stty size' Enter; wait_for '100$'
tmux split-window -h 'bash --norc --noprofile -i'; tmux list-panes | wc -l
tmux capture-pane -p -t 0 | grep -E -o '^(30|29)'
tmux kill-server; sleep 1
tmux list-sessions 2>&1 | grep -c -E 'no server|error connecting'
