/* Floating-point kernels in double precision: matrix product, two stencils, bodies, a ray tracer.
 *
 * usage: float gemm|jacobi-2d|heat-3d|n-body|ray ROUNDS. Prints sums that IEEE arithmetic without
 * contraction fixes exactly; build it with -ffp-contract=off. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double gemm(int rounds)
{
    enum { N = 96 };
    static double a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(i * j % 7) / 3;
            b[i][j] = (double)(i * (j + 1) % 11) / 5;
            c[i][j] = 0;
        }
    }
    for (int n = 0; n < rounds; n++) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++)
                c[i][j] *= 0.5;
            for (int k = 0; k < N; k++) {
                for (int j = 0; j < N; j++)
                    c[i][j] += 1.5 * a[i][k] * b[k][j];
            }
        }
    }
    return c[3][5] + c[N - 1][N / 2];
}

static double jacobi_2d(int rounds)
{
    enum { N = 130 };
    static double a[N][N], b[N][N];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            a[i][j] = b[i][j] = ((double)i * (j + 2) + 2) / N;
    }
    for (int n = 0; n < rounds; n++) {
        for (int i = 1; i < N - 1; i++) {
            for (int j = 1; j < N - 1; j++)
                b[i][j] = 0.2 * (a[i][j] + a[i][j - 1] + a[i][j + 1] + a[i + 1][j] + a[i - 1][j]);
        }
        for (int i = 1; i < N - 1; i++) {
            for (int j = 1; j < N - 1; j++)
                a[i][j] = 0.2 * (b[i][j] + b[i][j - 1] + b[i][j + 1] + b[i + 1][j] + b[i - 1][j]);
        }
    }
    return a[7][9] + a[N / 2][N / 2];
}

enum { H = 40 };

static void heat_step(double (*restrict to)[H][H], double (*restrict from)[H][H])
{
    for (int i = 1; i < H - 1; i++) {
        for (int j = 1; j < H - 1; j++) {
            for (int k = 1; k < H - 1; k++) {
                double x = from[i][j][k];
                to[i][j][k] = 0.125 * (from[i + 1][j][k] - 2 * x + from[i - 1][j][k]) +
                              0.125 * (from[i][j + 1][k] - 2 * x + from[i][j - 1][k]) +
                              0.125 * (from[i][j][k + 1] - 2 * x + from[i][j][k - 1]) + x;
            }
        }
    }
}

static double heat_3d(int rounds)
{
    static double a[H][H][H], b[H][H][H];
    for (int i = 0; i < H; i++) {
        for (int j = 0; j < H; j++) {
            for (int k = 0; k < H; k++)
                a[i][j][k] = b[i][j][k] = (double)(i + j + (H - k)) * 10 / H;
        }
    }
    for (int n = 0; n < rounds; n++) {
        heat_step(b, a);
        heat_step(a, b);
    }
    return a[3][4][5] + a[H / 2][H / 2][H / 2];
}

static double n_body(int rounds)
{
    enum { N = 5 };
    double pos[N][3], vel[N][3] = {{0}};
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++)
            pos[i][k] = (double)((i * 7 + k * 3) % 11) - 5;
    }
    for (int n = 0; n < rounds * 100; n++) {
        for (int i = 0; i < N; i++) {
            for (int j = i + 1; j < N; j++) {
                double d[3], r2 = 0.01;
                for (int k = 0; k < 3; k++) {
                    d[k] = pos[i][k] - pos[j][k];
                    r2 += d[k] * d[k];
                }
                double f = 0.001 / (r2 * sqrt(r2));
                for (int k = 0; k < 3; k++) {
                    vel[i][k] -= d[k] * f * (j + 1);
                    vel[j][k] += d[k] * f * (i + 1);
                }
            }
        }
        for (int i = 0; i < N; i++) {
            for (int k = 0; k < 3; k++)
                pos[i][k] += 0.001 * vel[i][k];
        }
    }
    return pos[0][0] + pos[N - 1][2];
}

struct vec {
    double x, y, z;
};

static struct vec add(struct vec a, struct vec b, double t)
{
    return (struct vec){a.x + b.x * t, a.y + b.y * t, a.z + b.z * t};
}

static double dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static const struct {
    struct vec centre;
    double radius, shine;
} spheres[] = {{{0, -1000, 0}, 998, 0.1}, {{0, 0, 6}, 1.5, 0.5},    {{2, 1, 4}, 0.8, 0.3},
               {{-2, -1, 4}, 0.9, 0.6},   {{-1.5, 1.5, 7}, 1, 0.4}, {{1, -1.2, 3}, 0.5, 0.2}};

static double nearest(struct vec from, struct vec to, int *hit)
{
    double best = 1e30;
    *hit = -1;
    for (int i = 0; i < (int)(sizeof(spheres) / sizeof(spheres[0])); i++) {
        struct vec o = add(from, spheres[i].centre, -1);
        double b = dot(o, to);
        double d = b * b - dot(o, o) + spheres[i].radius * spheres[i].radius;
        if (d <= 0)
            continue;
        double t = -b - sqrt(d);
        if (t > 1e-6 && t < best) {
            best = t;
            *hit = i;
        }
    }
    return best;
}

static double trace(struct vec from, struct vec to, int depth)
{
    static const struct vec light = {0.48, 0.8, -0.36};
    int hit, shadow;
    double t = nearest(from, to, &hit);
    if (hit < 0)
        return 0.2 + 0.3 * fabs(to.y);
    struct vec at = add(from, to, t);
    struct vec normal = add(at, spheres[hit].centre, -1);
    normal = (struct vec){normal.x / spheres[hit].radius, normal.y / spheres[hit].radius,
                          normal.z / spheres[hit].radius};
    double lit = dot(normal, light);
    nearest(add(at, normal, 1e-6), light, &shadow);
    double colour = 0.1 + (lit > 0 && shadow < 0 ? 0.8 * lit : 0);
    if (depth > 0)
        colour += spheres[hit].shine * trace(at, add(to, normal, -2 * dot(to, normal)), depth - 1);
    return colour;
}

static double ray(int rounds)
{
    enum { W = 64 };
    double sum = 0;
    for (int n = 0; n < rounds; n++) {
        for (int y = 0; y < W; y++) {
            for (int x = 0; x < W; x++) {
                struct vec to = {(double)(x - W / 2) / W + n * 1e-4, (double)(W / 2 - y) / W, 1};
                double length = sqrt(dot(to, to));
                to = (struct vec){to.x / length, to.y / length, to.z / length};
                sum += trace((struct vec){0, 0, 0}, to, 3);
            }
        }
    }
    return sum;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*run)(int);
    } kernels[] = {{"gemm", gemm},
                   {"jacobi-2d", jacobi_2d},
                   {"heat-3d", heat_3d},
                   {"n-body", n_body},
                   {"ray", ray}};
    for (unsigned i = 0; argc == 3 && i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        if (!strcmp(argv[1], kernels[i].name)) {
            printf("%.17g\n", kernels[i].run(atoi(argv[2])));
            return 0;
        }
    }
    fprintf(stderr, "usage: float gemm|jacobi-2d|heat-3d|n-body|ray ROUNDS\n");
    return 2;
}
