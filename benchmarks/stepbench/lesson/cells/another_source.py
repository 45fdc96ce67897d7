import numpy as np

drawn = np.random.default_rng(7)


def draw_students(count, needed_hours):
    x = drawn.uniform(1, 17, count) - 9
    chance = 1 / (1 + np.exp(-0.5 * (x + 9 - needed_hours)))
    return x, (drawn.random(count) < chance).astype(float)


def cost(w, b, x, y):
    return np.logaddexp(0, (1 - 2 * y) * (w * x + b)).mean()


x, y = draw_students(4000, needed_hours=9)
w = b = 0.0
for _ in range(400):
    dz = 1 / (1 + np.exp(-(w * x + b))) - y
    w, b = w - 0.15 * (x * dz).mean(), b - 0.15 * dz.mean()

groups = {
    "the first": (x, y),
    "others": draw_students(4000, needed_hours=9),
    "harder": draw_students(4000, needed_hours=12),
}
print("students       J  predicted  passed")
for group, (x, y) in groups.items():
    predicted = (1 / (1 + np.exp(-(w * x + b)))).mean()
    print(f"{group:9}  {cost(w, b, x, y):.3f}  {predicted:9.0%}  {y.mean():6.0%}")
