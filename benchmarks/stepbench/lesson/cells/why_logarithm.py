import numpy as np

p = np.linspace(0.01, 0.99, 99)  # the chances of heads to choose from
print("tosses  likelihood     p  logarithm     p")
for tosses in (10, 2000):
    heads = 7 * tosses // 10
    likelihood = p**heads * (1 - p) ** (tosses - heads)
    logarithm = heads * np.log(p) + (tosses - heads) * np.log(1 - p)
    best = p[likelihood.argmax()], p[logarithm.argmax()]
    print(f"{tosses:6}  {likelihood.max():10.3g}  {best[0]:.2f}  {logarithm.max():9.2f}  {best[1]:.2f}")
