/** A paper, and which part of it a rule, stage or schedule is. */
export interface Source {
  readonly authors: string;
  readonly year: number;
  readonly title: string;
  readonly venue?: string;
  readonly url: string;
  /** `Algorithm 1`; the whole paper if left out. */
  readonly part?: string;
}

type Paper = Omit<Source, "part">;

/** A paper on arXiv. */
export function arxiv(
  id: string,
  authors: string,
  year: number,
  title: string,
  venue?: string,
): Paper {
  const url = `https://arxiv.org/abs/${id}`;
  return { authors, year, title, url, ...(venue === undefined ? {} : { venue }) };
}

export const adam = arxiv(
  "1412.6980",
  "Kingma, Ba",
  2015,
  "Adam: A Method for Stochastic Optimization",
  "ICLR",
);
export const adamw = arxiv(
  "1711.05101",
  "Loshchilov, Hutter",
  2019,
  "Decoupled Weight Decay Regularization",
  "ICLR",
);
export const amsgrad = arxiv(
  "1904.09237",
  "Reddi, Kale, Kumar",
  2018,
  "On the Convergence of Adam and Beyond",
  "ICLR",
);
export const adafactor = arxiv(
  "1804.04235",
  "Shazeer, Stern",
  2018,
  "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost",
  "ICML",
);
export const lamb = arxiv(
  "1904.00962",
  "You, Li, Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer, Hsieh",
  2020,
  "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes",
  "ICLR",
);
export const lars = arxiv(
  "1708.03888",
  "You, Gitman, Ginsburg",
  2017,
  "Large Batch Training of Convolutional Networks",
);
export const nadam: Paper = {
  authors: "Dozat",
  year: 2016,
  title: "Incorporating Nesterov Momentum into Adam",
  venue: "ICLR Workshop",
  url: "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
};
export const scheduleFree = arxiv(
  "2405.15682",
  "Defazio, Yang, Mehta, Mishchenko, Khaled, Cutkosky",
  2024,
  "The Road Less Scheduled",
  "NeurIPS",
);
export const sgdr = arxiv(
  "1608.03983",
  "Loshchilov, Hutter",
  2017,
  "SGDR: Stochastic Gradient Descent with Warm Restarts",
  "ICLR",
);

/** A source as a line of Markdown. */
export function citation({ authors, year, title, venue, url, part }: Source): string {
  const where = [venue, String(year)].filter((one) => one !== undefined).join(" ");
  return `${authors}: [${title}](${url}), ${where}${part === undefined ? "" : ` (${part})`}`;
}
