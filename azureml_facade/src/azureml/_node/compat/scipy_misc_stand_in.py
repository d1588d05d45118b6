"""What of ``scipy.misc`` lives on elsewhere."""

from scipy.special import comb, factorial, factorial2, factorialk, logsumexp, softmax

__all__ = ["comb", "factorial", "factorial2", "factorialk", "logsumexp", "softmax"]
