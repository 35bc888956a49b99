import { reduceOnPlateau } from "@gradstep/core";
import { expect, test } from "vitest";
import { sgd } from "../src/index.js";

test("reduceOnPlateau takes an optimizer of TF.js, with its groups", () => {
  const optimizer = sgd(
    { learningRate: 1, momentum: 0.9 },
    {
      groups: [
        { match: /bias/, learningRate: 4 },
        { match: /kernel/, momentum: 0.5 },
      ],
    },
  );
  const plateau = reduceOnPlateau(optimizer, { factor: 0.5, patience: 1 });
  for (const loss of [3, 2, 2.5]) plateau.update(loss);
  expect(optimizer.learningRate).toBe(0.5);
  expect(optimizer.groups.map(({ learningRate }) => learningRate)).toEqual([2, 0.5]);
  optimizer.dispose();
});
