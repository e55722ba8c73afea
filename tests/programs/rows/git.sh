# git: commits with fixed dates (the hashes are known), branch, merge, clone, log, gc, fsck, blame
export HOME=$PWD GIT_AUTHOR_DATE='2001-02-03T04:05:06Z' GIT_COMMITTER_DATE='2001-02-03T04:05:06Z' GIT_CONFIG_NOSYSTEM=1
git config --global user.name T; git config --global user.email t@example.org; git config --global init.defaultBranch main; git config --global advice.detachedHead false
git init -q r; cd r; seq 1 100 > f; git add f; git commit -qm one; git rev-parse HEAD
git checkout -qb side; sed -i 's/^50$/fifty/' f; git commit -qam two; git checkout -q main; echo x > g; git add g; git commit -qm three
git merge -q --no-edit side; git log --format='%h %s' --graph; git rev-parse HEAD^{tree}; git diff HEAD~1 --stat
cd ..; git clone -q r c 2>&1; git clone -q file://$PWD/r c2 2>&1; cd c2; git log --oneline | wc -l; git gc -q; git fsck 2>&1; git blame -s -L 49,51 f | cut -c1-8; git stash list; echo y >> f; git stash -q; git stash show -p | tail -n 1; git tag -a v1 -m tag; git describe; git bundle create -q ../b v1 2>&1; git archive HEAD | tar t; git cat-file -p HEAD | head -n 3
