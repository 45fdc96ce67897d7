import torch

X = torch.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=torch.float64)
y = torch.tensor([1.0, 0.0], dtype=torch.float64)
w = torch.tensor([0.5, -0.25], dtype=torch.float64, requires_grad=True)
b = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)

z = X @ w + b
a = torch.sigmoid(z)
J = -(y * torch.log(a) + (1 - y) * torch.log(1 - a)).mean()

node, chain = J.grad_fn, []
while node is not None:
    chain.append(node.name().rpartition(":")[2].removesuffix("Backward0"))
    node = next((before for before, _ in node.next_functions if before), None)
print("from J back to w:", " ← ".join(chain))

J.backward()
print(f"J  {J.item():.6f}")
print("gw", [round(slope, 6) for slope in w.grad.tolist()])
print("gb", round(b.grad.item(), 6))
