import { describe, expect, it } from 'vitest';
import css from '../src/design/tokens.css?raw';

const pairs = new Map<string, [string, string]>();
for (const [, name, light, dark] of css.matchAll(
  /--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g,
)) {
  if (name && light && dark) pairs.set(name, [light, dark]);
}

function colour(name: string, theme: 0 | 1): string {
  const pair = pairs.get(name);
  if (!pair) throw new Error(`no token ${name}`);
  return pair[theme];
}

/** Relative luminance as WCAG 2 defines it. */
function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const surfaces = ['surface', 'surface-raised', 'surface-sunken'];
const texts = ['text', 'text-quiet', 'accent', 'good', 'warning', 'danger'];

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('the %s theme', (_name, theme) => {
  it.each(texts.flatMap((text) => surfaces.map((surface) => [text, surface] as const)))(
    'keeps %s on %s readable (4.5:1)',
    (text, surface) => {
      expect(contrast(colour(text, theme), colour(surface, theme))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(['accent', 'danger'])('keeps the label of a button on %s readable (4.5:1)', (fill) => {
    expect(contrast(colour(`on-${fill}`, theme), colour(fill, theme))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(surfaces)('shows the outline of a control on %s (3:1)', (surface) => {
    const outline = colour('border-control', theme);
    expect(contrast(outline, colour(surface, theme))).toBeGreaterThanOrEqual(3);
  });
});
