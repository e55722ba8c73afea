/* Floating-point work: an n-body step, Mandelbrot iterations and a dot product, in double and float.
 *
 * usage: float [ROUNDS]. Prints sums that IEEE arithmetic without contraction fixes exactly. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#pragma STDC FP_CONTRACT OFF

static double pos[5][3], vel[5][3];

static void bodies_step(double dt)
{
    for (int i = 0; i < 5; i++) {
        for (int j = i + 1; j < 5; j++) {
            double d[3], r2 = 0.01;
            for (int k = 0; k < 3; k++) {
                d[k] = pos[i][k] - pos[j][k];
                r2 += d[k] * d[k];
            }
            double f = dt / (r2 * sqrt(r2));
            for (int k = 0; k < 3; k++) {
                vel[i][k] -= d[k] * f * (j + 1);
                vel[j][k] += d[k] * f * (i + 1);
            }
        }
    }
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++)
            pos[i][k] += dt * vel[i][k];
    }
}

static int mandelbrot(double cr, double ci)
{
    double zr = 0, zi = 0;
    for (int i = 0; i < 60; i++) {
        double r2 = zr * zr, i2 = zi * zi;
        if (r2 + i2 > 4)
            return i;
        zi = 2 * zr * zi + ci;
        zr = r2 - i2 + cr;
    }
    return 60;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 300;
    static float a[256], b[256];
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++)
            pos[i][k] = (double)((i * 7 + k * 3) % 11) - 5;
    }
    for (int i = 0; i < 256; i++) {
        a[i] = (float)i / 16;
        b[i] = 1 / (float)(i + 1);
    }
    long inside = 0;
    float dot = 0;
    for (int n = 0; n < rounds; n++) {
        for (int i = 0; i < 40; i++)
            bodies_step(0.001);
        for (int i = 0; i < 30; i++)
            inside += mandelbrot(-2 + 3.0 * i / 30, -1 + 2.0 * (n % 50) / 50);
        for (int i = 0; i < 256; i++)
            dot += a[i] * b[(i + n) & 255];
    }
    printf("%.17g %ld %.9g\n", pos[0][0] + pos[4][2], inside, (double)dot);
    return 0;
}
