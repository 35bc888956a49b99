import { useEffect, useRef, useState } from "preact/hooks";
import { shortNumber } from "../number-text.js";
import { QueryProblems } from "../url-state/query-problems.js";
import { readUrlState, writeUrlState } from "../url-state/url-state.js";
import { HeatMap } from "./heat-map.js";
import { MuonControls } from "./muon-controls.js";
import type { MuonPicture, PicturedMatrix } from "./picture.js";
import { queryOf, settingsFromQuery, type MuonSettings } from "./settings.js";
import { IterationChart, SpectrumChart } from "./spectrum-charts.js";
import { UpdateTable } from "./update-table.js";

/** A picture is announced when no other one has followed for this many milliseconds. */
const announceAfter = 500;

interface MuonDemoProps {
  readonly computePicture: (settings: MuonSettings) => Promise<MuonPicture>;
}

/** A gradient, what Muon makes of it iteration by iteration, and what Adam makes of it. */
export function MuonDemo({ computePicture }: MuonDemoProps) {
  const [address] = useState(() => settingsFromQuery(readUrlState()));
  const [settings, setSettings] = useState(address.state);
  const [picture, setPicture] = useState<MuonPicture>();
  const [failure, setFailure] = useState<string>();
  const [announcement, setAnnouncement] = useState("");
  /** Only the newest settings are computed while others wait. */
  const wanted = useRef(settings);
  const isComputing = useRef(false);

  const update = async () => {
    if (isComputing.current) return;
    isComputing.current = true;
    let computed: MuonSettings | undefined;
    while (computed !== wanted.current) {
      computed = wanted.current;
      try {
        setPicture(await computePicture(computed));
        setFailure(undefined);
      } catch (error) {
        setFailure(error instanceof Error ? error.message : String(error));
      }
    }
    isComputing.current = false;
  };

  useEffect(() => {
    wanted.current = settings;
    writeUrlState(queryOf(settings));
    void update();
  }, [settings]);

  useEffect(() => {
    if (picture === undefined) return undefined;
    // A slider passes through many pictures.
    const timer = setTimeout(() => setAnnouncement(summaryOf(picture)), announceAfter);
    return () => clearTimeout(timer);
  }, [picture]);

  const change = (changes: Partial<MuonSettings>) =>
    setSettings((before) => ({ ...before, ...changes }));

  return (
    <div class="muon">
      <QueryProblems problems={address.problems} />
      {failure !== undefined && <p role="alert">{failure}</p>}
      <div class="muon-changing">
        <MuonControls settings={settings} onChange={change} />
        {picture !== undefined && <Overview picture={picture} />}
      </div>
      {picture !== undefined && <Comparison picture={picture} />}
      <p class="visually-hidden" role="status">
        {announcement}
      </p>
    </div>
  );
}

function summaryOf({ iterates, adam }: MuonPicture): string {
  const rangeOf = ({ singularValues }: PicturedMatrix): string =>
    `from ${shortNumber(singularValues.at(-1)!, 3)} to ${shortNumber(singularValues[0], 3)}`;
  const count = iterates.length - 1;
  return `After ${count === 1 ? "1 iteration" : `${count} iterations`}, the singular values are ${rangeOf(iterates.at(-1)!)}; those of Adam's update ${rangeOf(adam)}.`;
}

interface PictureProps {
  readonly picture: MuonPicture;
}

/** What a slider changes: on a phone it stays in sight. */
function Overview({ picture: { gradient, iterates, adam } }: PictureProps) {
  return (
    <div class="muon-overview">
      <div class="muon-maps">
        <HeatMap title="Gradient" shortTitle="grad." matrix={gradient} />
        {iterates.map((matrix, k) => (
          <HeatMap
            key={k}
            title={k === 0 ? "Momentum, norm 1" : `Iteration ${k}`}
            shortTitle={String(k)}
            matrix={matrix}
          />
        ))}
        <HeatMap title="Adam's update" shortTitle="Adam" matrix={adam} />
      </div>
      <IterationChart gradient={gradient} iterates={iterates} />
    </div>
  );
}

function Comparison({ picture: { gradient, iterates, adam } }: PictureProps) {
  return (
    <div class="muon-comparison">
      <SpectrumChart gradient={gradient} iterates={iterates} adam={adam} />
      <UpdateTable gradient={gradient} muon={iterates.at(-1)!} adam={adam} />
    </div>
  );
}
