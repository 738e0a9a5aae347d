# Waits until standard input ends, which it does however the parent ends, then stops the server and removes
# its directory, $1. It has to outlive the Ctrl-C that ends the parent.
trap '' HUP INT TERM
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid"
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null
fi
# A program that was just creating files in it, and has not noticed yet, makes this fail.
tries=0
until rm -rf -- "$1" 2>/dev/null || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
