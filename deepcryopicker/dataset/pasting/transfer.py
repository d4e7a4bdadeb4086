"""Measure the transfer of micrographs from places where a known structure probably is."""

import numpy as np
from scipy import optimize, special

from deepcryopicker.dataset.pasting.radial import radial_mean
from deepcryopicker.dataset.pasting.views import Transfer, boxed, enlarged
from deepcryopicker.types import Floats, Image

SHIFT = 3
"""Farthest shift of a window when it is aligned, pixels at 24 to a diameter."""

_FREQUENCIES = np.arange(0.0, 12.0, 0.1)  # cycles per diameter
_FITTED = 1.1  # diameters: farther out are neighbours
_LIMITS = ((0.003, 1.0), (0.0, 0.3), (0.0, 2.0), (0.05, 1.4), (0.6, 1.8))
_STARTS = [(curve, phase) for curve in (0.02, 0.08, 0.2) for phase in (0.1, 0.6)]
_SIZES = (1.0, 1.25, 1.5)  # enlargements to start from, where it is not known
_STEPS = 300  # of each fit
_ALIGNED = 2.0  # diameters: side of the windows that are aligned
_REGULARISED = 1e-3  # of the largest power


def fit_profile(profile: Floats, mean_view: Image, diameter: float, resize: bool) -> Transfer:
    """Fit a transfer to the average of particles that are only centred.

    The radial profile of the average is that of the mean projection, filtered by
    ``-g sin(c k^2 + w) exp(-b k^2) (1 - exp(-(k / h)^2))``: the contrast transfer function of a
    weak phase object (Wade 1992, Ultramicroscopy 46:145) with amplitude contrast, an envelope for
    dose, detector and denoising, and a high-pass filter for flattening. A constant is added for
    the surroundings. Nelder and Mead's simplex search, from several starts.

    Parameters
    ----------
    profile : (R,) float64
        Mean of the micrographs in rings of one pixel around the particles, particles dark.
    mean_view : (D, D) float32
        Mean projection at the scale of the micrographs.
    diameter : float
        Particle diameter, pixels.
    resize : bool
        Whether the scale is uncertain, so that the size of the particles is fitted as well.

    Returns
    -------
    Transfer
    """
    rings = min(round(_FITTED * diameter), len(profile))
    radius = np.arange(rings, dtype=np.float64)
    weight = np.sqrt(radius + 0.5)
    wanted = profile[:rings] * weight
    source = radial_mean(mean_view)
    spectrum = _FREQUENCIES / diameter
    back = special.j0(2 * np.pi * np.outer(spectrum, radius)) * (2 * np.pi * spectrum)[:, None]
    back *= spectrum[1]

    def solve(values: Floats) -> tuple[float, float]:
        curve, envelope, high_pass, phase, size = _limited(values, resize)
        known = _hankel(source, spectrum * size) * size**2
        filtered = (known * _shape(_FREQUENCIES, curve, envelope, high_pass, phase)) @ back
        matrix = np.column_stack([filtered, np.ones(rings)]) * weight[:, None]
        solution = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
        error = float(((matrix @ solution - wanted) ** 2).sum())
        return error + (float((wanted**2).sum()) if solution[0] <= 0 else 0.0), float(solution[0])

    best: tuple[float, Floats] | None = None
    for curve, phase in _STARTS:
        for size in _SIZES if resize else (1.0,):
            start = [curve, 0.03, 0.5, phase, size][: 5 if resize else 4]
            found = optimize.minimize(
                lambda values: solve(values)[0],
                start,
                method="Nelder-Mead",
                options={"maxfev": _STEPS},
            )
            if best is None or found.fun < best[0]:
                best = float(found.fun), found.x
    if best is None:
        raise ValueError("no start")
    *values, size = _limited(best[1], resize)
    gain = max(solve(best[1])[1], 0.0)
    return Transfer(_FREQUENCIES, gain * _shape(_FREQUENCIES, *values), size)


def refine_transfer(
    windows: Image, views: Image, transfer: Transfer, diameter: float, rounds: int = 2
) -> tuple[Transfer, Floats]:
    """Align windows with projections, and measure the transfer at all frequencies.

    Every window gets the projection and the shift with which it correlates best. The transfer is
    then the regression of the windows on their projections, ring by ring in Fourier space; with
    it they are aligned again.

    Parameters
    ----------
    windows : (N, S, S) float32
        Around probable particles, two diameters and :func:`shift_of` on either side wide.
    views : (M, D, D) float32
        Projections in many orientations, in boxes of four diameters.
    transfer : Transfer
        To begin with.
    diameter : float
        Pixels.
    rounds : int

    Returns
    -------
    Transfer
    (N,) float64
        Contrast of each window relative to the transfer.
    """
    views = enlarged(views, transfer.enlargement)
    margin = shift_of(diameter)
    side = windows.shape[1] - 2 * margin
    middle = boxed(views, side)
    inner, outer = (
        _disc(side, 0.6 * diameter, 0.8 * diameter),
        _disc(side, 0.75 * diameter, diameter),
    )
    amplitude = np.ones(len(windows))
    for _ in range(rounds):
        template = boxed(transfer.apply(views, diameter), side) * inner
        template -= (template.sum((1, 2)) / inner.sum())[:, None, None] * inner
        chosen, shift, amplitude = _align(windows, template, margin)
        shifted = np.stack(
            [
                window[margin + dy : margin + dy + side, margin + dx : margin + dx + side]
                for window, (dy, dx) in zip(windows, shift, strict=True)
            ]
        )
        transfer = _regression(shifted, middle[chosen], outer, diameter, transfer.enlargement)
    return transfer, amplitude


def shift_of(diameter: float) -> int:
    """Return the farthest shift of :func:`refine_transfer`, pixels."""
    return max(1, round(SHIFT * diameter / 24.0))


def window_side(diameter: float) -> int:
    """Return the side of the windows that :func:`refine_transfer` takes, pixels."""
    return 2 * round(_ALIGNED * diameter / 2.0) + 2 * shift_of(diameter)


def _align(windows: Image, templates: Image, margin: int) -> tuple[np.ndarray, np.ndarray, Floats]:
    """Return template, shift (dy, dx) and amplitude of the best correlation of each window."""
    side = templates.shape[1]
    flat = templates.reshape(len(templates), -1)
    power = (flat**2).sum(axis=1)
    every = np.arange(len(windows))
    best, amplitude = np.full(len(windows), -np.inf), np.ones(len(windows))
    chosen, shift = np.zeros(len(windows), np.intp), np.zeros((len(windows), 2), np.intp)
    for dy in range(-margin, margin + 1):
        for dx in range(-margin, margin + 1):
            rows = slice(margin + dy, margin + dy + side)
            columns = slice(margin + dx, margin + dx + side)
            product = windows[:, rows, columns].reshape(len(windows), -1) @ flat.T
            index = (product / np.sqrt(power)).argmax(axis=1)
            value = product[every, index] / np.sqrt(power[index])
            better = value > best
            best[better], chosen[better] = value[better], index[better]
            shift[better] = dy, dx
            amplitude[better] = (value / np.sqrt(power[index]))[better]
    return chosen, shift, amplitude


def _regression(
    windows: Image, views: Image, mask: Image, diameter: float, enlargement: float
) -> Transfer:
    """Regress windows on projections in rings of Fourier space."""
    seen, known = (
        np.fft.fftshift(np.fft.fft2((one - one.mean((1, 2), keepdims=True)) * mask), axes=(1, 2))
        for one in (windows, views)
    )
    shared = radial_mean((seen * known.conj()).real.mean(axis=0))
    power = radial_mean((np.abs(known) ** 2).mean(axis=0))
    value = shared / (power + _REGULARISED * power.max())
    value[0] = 0.0
    return Transfer(np.arange(len(value)) * diameter / mask.shape[0], value, enlargement)


def _limited(values: Floats, resize: bool) -> tuple[float, float, float, float, float]:
    """Return the parameters within their limits."""
    given = [*np.abs(values), *([] if resize else [1.0])]
    curve, envelope, high_pass, phase, size = (
        float(np.clip(value, *limits)) for value, limits in zip(given, _LIMITS, strict=True)
    )
    return curve, envelope, high_pass, phase, size


def _shape(k: Floats, curve: float, envelope: float, high_pass: float, phase: float) -> Floats:
    transfer = -np.sin(curve * k**2 + phase) * np.exp(-envelope * k**2)
    return transfer * (1.0 - np.exp(-((k / max(high_pass, 1e-3)) ** 2)))


def _hankel(profile: Floats, frequency: Floats) -> Floats:
    """Return the Fourier transform, cycles per pixel, of a radial profile in the plane."""
    radius = np.arange(len(profile), dtype=np.float64)
    return special.j0(2 * np.pi * np.outer(frequency, radius)) @ (2 * np.pi * radius * profile)


def _disc(side: int, inside: float, outside: float) -> Image:
    """Return a disc with a soft edge."""
    y, x = np.indices((side, side)) - side // 2
    soft = (outside - np.hypot(x, y)) / (outside - inside)
    return np.clip(soft, 0.0, 1.0).astype(np.float32)
