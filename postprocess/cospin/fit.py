"""Fits that figures of papers ask for, with the errors of their parameters."""
import numpy as np

STEPS = 60


def power_law(x, y):
    """((a, b), (error of a, error of b)) of a x^b by least squares of y itself (not of its logarithm): Gauss-Newton from
    the line through the logarithms. Errors are standard errors from the residuals."""
    x, y = (np.asarray(values, dtype=float) for values in (x, y))
    power, log_scale = np.polyfit(np.log(x), np.log(y), 1)
    scale = np.exp(log_scale)
    for _ in range(STEPS):
        slope = np.column_stack([x ** power, scale * x ** power * np.log(x)])
        step = np.linalg.lstsq(slope, y - scale * x ** power, rcond=None)[0]
        scale, power = scale + step[0], power + step[1]
        if abs(step[0]) < 1e-13 * abs(scale) and abs(step[1]) < 1e-13:
            break
    rest = y - scale * x ** power
    spread = rest @ rest / max(len(x) - 2, 1)
    errors = np.sqrt(np.diag(spread * np.linalg.inv(slope.T @ slope)))
    return (float(scale), float(power)), (float(errors[0]), float(errors[1]))
