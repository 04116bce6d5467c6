// Plotly's words and dates in the page's language: words from the page, names of days and months from the browser.

/** A locale module for Plotly.register. */
export function localeFor(name, words) {
  return { moduleType: "locale", name, dictionary: { ...words }, format: formatFor(name) };
}

export function formatFor(name) {
  const days = (weekday) =>
    // 2023-01-01 was a Sunday, which is where d3 starts the week.
    list(7, (i) => format(name, { weekday }, Date.UTC(2023, 0, 1 + i)));
  const months = (month) => list(12, (i) => format(name, { month }, Date.UTC(2023, i, 1)));
  return {
    days: days("long"),
    shortDays: days("short"),
    months: months("long"),
    shortMonths: months("short"),
    date: "%Y-%m-%d",
    time: "%H:%M:%S",
    dateTime: "%Y-%m-%d %H:%M:%S",
    year: "%Y",
    month: "%Y-%m",
    dayMonth: "%m-%d",
    dayMonthYear: "%Y-%m-%d",
    periods: ["", ""],
    // Plotly needs the marks of numbers from every locale it is given.
    decimal: mark(name, "decimal"),
    thousands: mark(name, "group"),
    grouping: [3],
    currency: ["", ""],
  };
}

function mark(name, type) {
  const parts = new Intl.NumberFormat(name).formatToParts(12345.6);
  return parts.find((part) => part.type === type)?.value ?? ".";
}

function format(name, options, time) {
  return new Intl.DateTimeFormat(name, { ...options, timeZone: "UTC" }).format(time);
}

function list(length, make) {
  return Array.from({ length }, (_, index) => make(index));
}
