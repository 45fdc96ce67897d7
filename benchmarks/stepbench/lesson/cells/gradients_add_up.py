import torch

w = torch.tensor(2.0, requires_grad=True)
for k in range(3):
    (w * w).backward()
    print(f"round {k}: not zeroed, w.grad = {w.grad:.0f}")

for k in range(3):
    w.grad = None  # what optimizer.zero_grad() does
    (w * w).backward()
    print(f"round {k}: zeroed, w.grad = {w.grad:.0f}")
