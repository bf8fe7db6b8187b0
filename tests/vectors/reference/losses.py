"""Losses of items [rows], from the logits of each forward pass and the targets: class ids, or numbers in a regression."""
import torch
import torch.nn.functional as F


def focal(trick, counts, logits, target):
    """-alpha_y (1 - p)^gamma log p."""
    own = F.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]
    return -alpha(trick, counts)[target] * (1 - own.exp()) ** trick.get("gamma", 2) * own


def alpha(trick, counts):
    """A weight a class. Balanced: inverse to the counts, so that an item has 1 on average."""
    if trick.get("balanced"):
        inverse = 1 / counts.double()
        return inverse * counts.sum() / (inverse * counts).sum()
    given = torch.tensor(trick.get("alpha", [1.0] * len(counts)), dtype=torch.float64)
    return given if given.dim() and len(given) == len(counts) else torch.stack([1 - given.reshape(()), given.reshape(())])


def plain(tricks, counts, logits, target):
    """With what replaces or wraps the loss of one forward pass."""
    named = {trick["name"]: trick for trick in tricks}
    if target.is_floating_point():
        return (logits - target).square().mean(1)
    loss = focal(named["focal"], counts, logits, target) if "focal" in named else F.cross_entropy(logits, target, reduction="none")
    if "label-smoothing" in named:
        eps = named["label-smoothing"]["eps"]
        loss = (1 - eps) * loss - eps * F.log_softmax(logits, 1).mean(1)
    return loss


def divergence(one, other, is_regression):
    """[rows]: (KL(p || q) + KL(q || p)) / 2, or the mean squared difference."""
    if is_regression:
        return (one - other).square().mean(1)
    p, q = F.log_softmax(one, 1), F.log_softmax(other, 1)
    return (F.kl_div(q, p, reduction="none", log_target=True) + F.kl_div(p, q, reduction="none", log_target=True)).sum(1) / 2


def items(tricks, counts, logits, target):
    """logits: of one forward pass, or of the two of R-Drop: half of the paper's sum of both losses and alpha times their divergence."""
    loss = sum(plain(tricks, counts, z, target) for z in logits) / len(logits)
    rdrop = next((trick for trick in tricks if trick["name"] == "rdrop"), None)
    return loss + rdrop["alpha"] / 2 * divergence(*logits, target.is_floating_point()) if rdrop else loss
