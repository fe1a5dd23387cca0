import { expect, it } from "vitest";
import { formatState, parseState, type ViewState } from "../src/page/urlState";

it("reads what it writes", () => {
  const state: ViewState = {
    model: "a model/with & signs",
    layer: 12,
    map: "own",
    feature: 16383,
    pinned: [
      { layer: 11, index: 3 },
      { layer: 12, index: 7 },
    ],
    set: "days & weeks",
    region: "r1.3",
    compared: { modelId: "another: model", layer: 5 },
    query: "days & of #the week",
    coloring: "density",
    filters: { density: { low: 1e-7, high: null }, track: { low: 2, high: 6 } },
    silentShown: true,
    minCosine: 0.413,
    camera: [1.5, -2.25, 3, 0, 0, -0.01],
  };
  expect(parseState(formatState(state))).toMatchObject(state);
});

it("names the model of a layer beside the first only if it is another", () => {
  expect(formatState({ layer: 4, compared: { layer: 5 } })).toBe("#layer=4&compare=5");
  expect(parseState("#compare=5").compared).toEqual({ layer: 5 });
});

it("writes nothing for nothing", () => {
  expect(formatState({})).toBe("");
  expect(formatState(parseState(""))).toBe("");
});

it.each([
  "#layer=-1&feature=x&color=red&camera=1,2,3",
  "#layer=1.5&feature=99999999&camera=1,2,3,4,5,NaN",
  "#camera=1,,3,4,5,6",
  "#camera=1e9,2,3,4,5,6&model=&find=%20",
  "#only=density:..,links:3,tracks:1..2,index:7..5,kept:x..1,activation:1..2..3&silent=no",
  "#links=2&map=elsewhere",
  "#links=",
  "#compare=",
  "#compare=gpt2:",
  "#there=12",
  "#pins=5&set=nothing",
  "#links=-0.1",
  "#camera=NaN,NaN,NaN,0,0,0",
  "#camera=Infinity,1e39,3,4,5,6",
  "#%%%",
])("leaves out what makes no sense: %s", (hash) => {
  expect(formatState(parseState(hash))).toBe("");
});
