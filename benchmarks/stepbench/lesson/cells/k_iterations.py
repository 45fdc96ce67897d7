import math

import numpy as np

X = np.array([[1.0, 2.0], [3.0, -1.0]])  # the two samples of section 4
y = np.array([1.0, 0.0])
m, n = X.shape
K, rate = 5, 0.5


def sample_by_sample(w, b):
    J, gw, gb = 0.0, np.zeros(n), 0.0
    for i in range(m):
        z = b
        for j in range(n):
            z += w[j] * X[i, j]
        a = 1 / (1 + math.exp(-z))
        J -= y[i] * math.log(a) + (1 - y[i]) * math.log(1 - a)
        dz = a - y[i]
        for j in range(n):
            gw[j] += X[i, j] * dz
        gb += dz
    return J / m, gw / m, gb / m


def as_matrices(w, b):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    J = -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean()
    dz = a - y
    return J, X.T @ dz / m, dz.mean()


for gradient in (sample_by_sample, as_matrices):
    print(gradient.__name__)
    w, b = np.array([0.5, -0.25]), 0.1
    for k in range(K):
        J, gw, gb = gradient(w, b)
        print(f"  k = {k}  J = {J:.6f}")
        w, b = w - rate * gw, b - rate * gb
