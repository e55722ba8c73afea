# git: clone, branch, merge, rebase, gc, fsck, bundle, worktree, bisect, known commit hashes
# grade=medium time=120
. /matrix/lib.sh
export GIT_AUTHOR_DATE='2001-02-03T04:05:06Z' GIT_COMMITTER_DATE='2001-02-03T04:05:06Z'
git config --global user.name T; git config --global user.email t@example.org; git config --global init.defaultBranch main; git config --global advice.detachedHead false
git init -q r; cd r || exit 1
for i in $(seq 1 30); do seq $i 300 >f$((i % 5)); echo $i >n; git add .; git commit -qm "commit $i"; done
git rev-parse HEAD; git checkout -qb side HEAD~10; echo side >s; git add s; git commit -qm side; git checkout -q main; git merge -q --no-edit side; git rev-parse 'HEAD^{tree}'
git checkout -q side; git rebase -q main 2>&1; git log --oneline | wc -l; git checkout -q main; git gc -q --aggressive --prune=now; git fsck --full 2>&1; git count-objects -v | grep -c in-pack
cd ..; git clone -q r c 2>&1; git clone -q --depth 3 file://$PWD/r c3 2>&1; git -C c3 log --oneline | wc -l; git clone -q --bare r b; git -C c push -q ../b HEAD:refs/heads/new; git -C b for-each-ref --format='%(refname)'
cd c; git bisect start HEAD HEAD~25 >/dev/null 2>&1; git bisect run sh -c 'test $(cat n) -lt 17' 2>&1 | grep -o 'commit [0-9]*$' | tail -n 1; git bisect reset >/dev/null 2>&1
git worktree add -q ../w HEAD~3 2>&1; cat ../w/n; git blame -s f1 | cut -c1-8 | sort -u | wc -l; git log -p --stat | sha1sum; git bundle create -q ../x --all; git bundle verify -q ../x 2>&1; git grep -c 299 | wc -l; git archive HEAD | sha1sum
git daemon --base-path=/tmp --export-all --listen=127.0.0.1 --reuseaddr /tmp >/dev/null 2>&1 & p=$!; ready git ls-remote git://127.0.0.1/b; git clone -q git://127.0.0.1/b /tmp/over 2>&1; git -C /tmp/over fsck 2>&1; git -C /tmp/over rev-parse HEAD; kill $p
echo x >>f1; git stash -q; git stash pop -q; git diff --stat; git repack -adq --window=50; git verify-pack -v .git/objects/pack/*.idx | grep -c blob
