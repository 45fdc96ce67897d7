"use strict";

// The within-turn ratio of two records with its interval: the same resamples and the same arithmetic as
// stepreports.statistics.intervals, so that the page and table.csv say the same.

const middle = (sorted) => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
const ascending = (a, b) => a - b;

// Logarithms of a ÷ b in the turns both have, by generation, sorted within each.
function sharedLogs(data, a, b) {
  const ofB = new Map(data.layouts[data.layout[b]].map((key, i) => [key.join(), data.turns[b][i] * data.units[b]]));
  const generations = new Map();
  data.layouts[data.layout[a]].forEach((key, i) => {
    const other = ofB.get(key.join());
    if (other === undefined) return;
    if (!generations.has(key[0])) generations.set(key[0], []);
    generations.get(key[0]).push(Math.log((data.turns[a][i] * data.units[a]) / other));
  });
  return [...generations.keys()].sort(ascending).map((g) => generations.get(g).sort(ascending));
}

function ratioOf(data, a, b) {
  const generations = sharedLogs(data, a, b);
  if (!generations.length) return null;
  const value = middle(generations.map(middle).sort(ascending));
  const tails = data.tails[generations.map((g) => g.length).join()];
  const turns = generations.flat().length;
  if (!tails) return { value: Math.exp(value), low: null, high: null, turns };
  const logs = generations.flat();
  const [lows, highs] = tails.map((resamples) => resamples.map((ranks) => statistic(logs, ranks)).sort(ascending));
  const [near, far] = betweenGenerations(data, generations.map(middle), value);
  const low = Math.min(value, lows[data.tail], near);
  const high = Math.max(value, highs[highs.length - 1 - data.tail], far);
  return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high), turns };
}

// How far the generations' medians let their mean be, by Student's t; of too few of them, no further than the value.
function betweenGenerations(data, medians, value) {
  const quantile = data.quantiles[medians.length];
  if (!quantile) return [value, value];
  const count = medians.length;
  const mean = medians.reduce((sum, x) => sum + x, 0) / count;
  const squares = medians.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const reach = quantile * Math.sqrt(squares / (count - 1) / count);
  return [mean - reach, mean + reach];
}

// `ranks` holds the two middle ranks of each drawn generation, one pair after the other.
function statistic(logs, ranks) {
  const medians = [];
  for (let i = 0; i < ranks.length; i += 2) medians.push((logs[ranks[i]] + logs[ranks[i + 1]]) / 2);
  return middle(medians.sort(ascending));
}

// Numbers in words, as stepreports.telling.text writes them: only the digits that the interval supports.
const exponent = (x) => Math.floor(Math.log10(Math.abs(x)));

const finest = (x) => 2 - exponent(x);

function decimals(e) {
  const distances = e.low === null ? [] : [e.high - e.value, e.value - e.low].filter((distance) => distance > 0);
  return distances.length ? Math.min(finest(e.value), -exponent(Math.min(...distances))) : finest(e.value);
}

const end = (x, places) => rounded(x, Math.max(-exponent(x), Math.min(places, finest(x))));

function rounded(value, places) {
  const unit = 10 ** -places;
  const whole = places < 0 ? Math.round(value / unit) * unit : value;
  const digits = Math.max(0, places);
  return whole.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function inWords(e, suffix = "") {
  const places = decimals(e);
  const value = rounded(e.value, places) + suffix;
  return e.low === null ? value : `${value} [${end(e.low, places)}, ${end(e.high, places)}]`;
}

const UNITS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];

function secondsInWords(e) {
  const [scale, unit] = UNITS.find(([s]) => e.value >= s) ?? UNITS[3];
  const part = (x) => (x === null ? null : x / scale);
  return inWords({ value: e.value / scale, low: part(e.low), high: part(e.high) }, ` ${unit}`);
}

function percentInWords(e) {
  const places = Math.max(0, 1 - exponent(100 * e.value));
  const written = (x) => rounded(100 * x, places);
  return e.low === null ? `${written(e.value)} %` : `${written(e.value)} % [${written(e.low)}, ${written(e.high)}]`;
}
