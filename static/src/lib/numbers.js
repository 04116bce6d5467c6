// Numbers as people read them.

/** `template` with its {names} filled in. */
export function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function megabytes(bytes) {
  const size = bytes / 2 ** 20;
  return size >= 1024 ? `${(size / 1024).toFixed(2)} GB` : `${size.toFixed(1)} MB`;
}

/** Seconds as 3:12 or 1:03:12. */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
