/** Writes quantities in the manner of one language. */
export interface Numbers {
  /** A whole number with the language's grouping. */
  count(value: number): string;
  /** A size given in bytes, in decimal units as file managers show it: `1.2 GB`. */
  bytes(value: number): string;
  /** Bytes in a second: `1.2 MB/s`. */
  rate(value: number): string;
  /** A moment in milliseconds since 1970, as people write it. */
  when(value: number): string;
  /** Picks the form of a counted noun. */
  plural(value: number, forms: { one: string; other: string }): string;
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;
const STEP = 1000;
/** From here on a value rounds to the next unit's 1, with one digit after the point. */
const ROUNDS_UP = 999.95;

export function numbers(locale: string): Numbers {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const rules = new Intl.PluralRules(locale);
  const units = UNITS.map(
    (unit) =>
      new Intl.NumberFormat(locale, {
        style: 'unit',
        unit,
        unitDisplay: unit === 'byte' ? 'long' : 'short',
        maximumFractionDigits: unit === 'byte' ? 0 : 1,
      }),
  );
  function bytes(value: number): string {
    let scaled = value;
    let unit = 0;
    while (scaled >= ROUNDS_UP && unit < units.length - 1) {
      scaled /= STEP;
      unit += 1;
    }
    return (units[unit] ?? whole).format(scaled);
  }
  return {
    count: (value) => whole.format(value),
    bytes,
    rate: (value) => `${bytes(value)}/s`,
    when: (value) => moment.format(value),
    plural: (value, forms) => (rules.select(value) === 'one' ? forms.one : forms.other),
  };
}
