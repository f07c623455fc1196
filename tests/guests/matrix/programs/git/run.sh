export GIT_AUTHOR_NAME=g GIT_AUTHOR_EMAIL=g@example.org GIT_COMMITTER_NAME=g GIT_COMMITTER_EMAIL=g@example.org
export GIT_AUTHOR_DATE='2001-02-03T04:05:06 +0000' GIT_COMMITTER_DATE='2001-02-03T04:05:06 +0000' GIT_CONFIG_GLOBAL=/dev/null
git init -q -b main origin && cd origin || exit 1
for i in 1 2 3 4 5 6 7 8 9 10; do
    mkdir -p "d$i"; seq 1 $((i * 300)) >"d$i/numbers"; seq "$i" 200 >common; git add -A && git commit -q -m "commit $i"
done
git checkout -q -b side HEAD~3 && echo side >side && git add side && git commit -q -m side
git checkout -q main && git merge -q --no-edit side
git rev-parse HEAD^{tree}
git repack -q -a -d --threads=4
cd .. && git clone -q --no-local "file://$PWD/origin" copy 2>&1 && cd copy || exit 1
git rev-parse HEAD^{tree}; git log --oneline | wc -l; git fsck --full --strict 2>&1 | grep -v '^notice' ; git status --short | wc -l
git -c gc.auto=0 fetch -q origin side && git diff --stat HEAD FETCH_HEAD | tail -1
git archive HEAD | tar -t | wc -l
git grep -c 1234 | head -3
