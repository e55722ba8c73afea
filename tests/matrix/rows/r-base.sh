# R: linear models, random numbers, closures, sorting, its byte-code compiler
# grade=hard group=runtimes time=200 memory=1500
l=/usr/lib/$(case $(uname -m) in riscv64) echo riscv64 ;; aarch64) echo aarch64 ;; *) echo x86_64 ;; esac)-linux-gnu; [ -e $l/libblas.so.3 ] || ln -s blas/libblas.so.3 $l/libblas.so.3; [ -e $l/liblapack.so.3 ] || ln -s lapack/liblapack.so.3 $l/liblapack.so.3
cp /usr/lib/R/etc/Renviron.ucf /etc/R/Renviron
cat >t.R <<'R'
set.seed(42); x <- rnorm(200); y <- 3 * x + 1 + rnorm(200, sd = 0.1); m <- lm(y ~ x); print(round(coef(m), 4)); print(round(summary(m)$r.squared, 5)); print(sample(10)); f <- function(n) if (n < 2) n else f(n - 1) + f(n - 2); print(f(18)); print(tryCatch(stop("boom"), error = function(e) conditionMessage(e))); print(table(cut(runif(1000), 4, labels = FALSE))); a <- matrix(1:9, 3) + diag(3); print(round(solve(a), 4)); print(strsplit("a,b;c", "[,;]")[[1]]); print(sum(sapply(1:10000, function(i) i %% 7))); print(quantile(x, .9)); print(aggregate(len ~ dose, data.frame(len = c(1, 2, 3, 4), dose = c(1, 1, 2, 2)), mean)); print(system("exit 3")); print(sprintf("%.10f %d %s", pi, 42L, "x")); print(nchar(paste(rep("ab", 1000), collapse = "")))
R
R_HOME=/usr/lib/R /usr/lib/R/bin/Rscript --vanilla t.R 2>&1 || R --vanilla --slave -f t.R 2>&1
