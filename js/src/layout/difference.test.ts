import { expect, it } from "vitest";
import { addDifference, emptyDifference } from "./difference";
import { Planes } from "./planes";

const bits = (plane: Int32Array) => [...plane].reduce((sum, word) => sum + ones(word), 0);
const ones = (word: number): number => (word ? 1 + ones(word & (word - 1)) : 0);

function planes(x1: number, x2: number): Planes {
  const made = new Planes(70, 20);
  made.rect(x1, 2, x2, 11);
  return made;
}

it("tells what only one of two pictures has from what both have, whatever the layer", () => {
  const all = emptyDifference(70, 20);
  addDifference(all, planes(0, 39), planes(10, 49)); // ten columns each, thirty shared, ten rows
  expect([bits(all.first.frame), bits(all.second.frame), bits(all.both.fill)]).toEqual([100, 100, 300]);
  addDifference(all, planes(60, 64), undefined);
  expect(bits(all.first.frame)).toBe(150);
  addDifference(all, undefined, planes(66, 67));
  expect(bits(all.second.frame)).toBe(120);
  expect([all.both.low, all.both.high]).toEqual([2, 11]);
});

it("finds no difference between equal pictures", () => {
  const all = emptyDifference(70, 20);
  addDifference(all, planes(3, 69), planes(3, 69));
  expect([bits(all.first.frame), bits(all.second.frame)]).toEqual([0, 0]);
});
