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

function arxiv(id: string, authors: string, year: number, title: string, venue?: string): Paper {
  const url = `https://arxiv.org/abs/${id}`;
  return { authors, year, title, url, ...(venue === undefined ? {} : { venue }) };
}

const adam = arxiv(
  "1412.6980",
  "Kingma, Ba",
  2015,
  "Adam: A Method for Stochastic Optimization",
  "ICLR",
);
const adamw = arxiv(
  "1711.05101",
  "Loshchilov, Hutter",
  2019,
  "Decoupled Weight Decay Regularization",
  "ICLR",
);
const amsgrad = arxiv(
  "1904.09237",
  "Reddi, Kale, Kumar",
  2018,
  "On the Convergence of Adam and Beyond",
  "ICLR",
);
const adafactor = arxiv(
  "1804.04235",
  "Shazeer, Stern",
  2018,
  "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost",
  "ICML",
);
const lamb = arxiv(
  "1904.00962",
  "You, Li, Reddi, Hseu, Kumar, Bhojanapalli, Song, Demmel, Keutzer, Hsieh",
  2020,
  "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes",
  "ICLR",
);
const lars = arxiv(
  "1708.03888",
  "You, Gitman, Ginsburg",
  2017,
  "Large Batch Training of Convolutional Networks",
);
const nadam: Paper = {
  authors: "Dozat",
  year: 2016,
  title: "Incorporating Nesterov Momentum into Adam",
  venue: "ICLR Workshop",
  url: "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
};
const scheduleFree = arxiv(
  "2405.15682",
  "Defazio, Yang, Mehta, Mishchenko, Khaled, Cutkosky",
  2024,
  "The Road Less Scheduled",
  "NeurIPS",
);
const sgdr = arxiv(
  "1608.03983",
  "Loshchilov, Hutter",
  2017,
  "SGDR: Stochastic Gradient Descent with Warm Restarts",
  "ICLR",
);

/** By the names of rules, stages and kinds of schedules; the first is the one it follows. */
const sources: Readonly<Record<string, readonly Source[]>> = {
  adabelief: [
    {
      ...arxiv(
        "2010.07468",
        "Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris, Duncan",
        2020,
        "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients",
        "NeurIPS",
      ),
      part: "Algorithm 2",
    },
  ],
  adadelta: [
    {
      ...arxiv("1212.5701", "Zeiler", 2012, "ADADELTA: An Adaptive Learning Rate Method"),
      part: "Algorithm 1",
    },
  ],
  adafactor: [{ ...adafactor, part: "Algorithms 4 and 5" }],
  adagrad: [
    {
      authors: "Duchi, Hazan, Singer",
      year: 2011,
      title: "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
      venue: "Journal of Machine Learning Research 12",
      url: "https://jmlr.org/papers/v12/duchi11a.html",
      part: "the diagonal form",
    },
  ],
  adam: [
    { ...adam, part: "Algorithm 1" },
    { ...amsgrad, part: "`amsgrad`" },
    { ...nadam, part: "`nesterov`" },
  ],
  adamax: [{ ...adam, part: "Algorithm 2" }],
  adamw: [
    { ...adamw, part: "Algorithm 2" },
    { ...amsgrad, part: "`amsgrad`" },
    { ...nadam, part: "`nesterov`" },
  ],
  adan: [
    {
      ...arxiv(
        "2208.06677",
        "Xie, Zhou, Li, Lin, Yan",
        2022,
        "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
      ),
      part: "Algorithm 1",
    },
  ],
  ademamix: [
    {
      ...arxiv(
        "2409.03137",
        "Pagliardini, Ablin, Grangier",
        2024,
        "The AdEMAMix Optimizer: Better, Faster, Older",
      ),
      part: "Algorithm 1",
    },
  ],
  adopt: [
    {
      ...arxiv(
        "2411.02853",
        "Taniguchi, Harada, Minegishi, Oshima, Jeong, Nagahara, Iiyama, Suzuki, Iwasawa, Matsuo",
        2024,
        "ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate",
        "NeurIPS",
      ),
      part: "Algorithm 2",
    },
  ],
  ftrl: [
    {
      authors: "McMahan, Holt, Sculley, Young, Ebner, Grady, Nie, Phillips, and others",
      year: 2013,
      title: "Ad Click Prediction: a View from the Trenches",
      venue: "KDD",
      url: "https://doi.org/10.1145/2487575.2488200",
      part: "Algorithm 1",
    },
  ],
  lamb: [{ ...lamb, part: "Algorithm 2" }],
  lars: [{ ...lars, part: "Algorithm 1" }],
  lion: [
    {
      ...arxiv(
        "2302.06675",
        "Chen, Liang, Huang, Real, Wang, Liu, Pham, Dong, Luong, Hsieh, Lu, Le",
        2023,
        "Symbolic Discovery of Optimization Algorithms",
        "NeurIPS",
      ),
      part: "Algorithm 2",
    },
  ],
  muon: [
    {
      authors: "Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein",
      year: 2024,
      title: "Muon: An optimizer for hidden layers in neural networks",
      url: "https://kellerjordan.github.io/posts/muon/",
    },
    {
      ...arxiv("2502.16982", "Liu, Su, Yao, and others", 2025, "Muon is Scalable for LLM Training"),
      part: '`adjust: "rms"`',
    },
    {
      ...arxiv(
        "2505.16932",
        "Amsel, Persson, Musco, Gower",
        2025,
        "The Polar Express: Optimal Matrix Sign Methods and Their Application to the Muon Algorithm",
      ),
      part: '`polynomials: "polar-express"`',
    },
    {
      ...arxiv(
        "2510.05491",
        "Li, Liu, Liang, Chen, Zhao",
        2025,
        "NorMuon: Making Muon more efficient and scalable",
      ),
      part: "`secondMoments`",
    },
  ],
  nadam: [{ ...nadam, part: "Algorithm 2" }],
  prodigy: [
    {
      ...arxiv(
        "2306.06101",
        "Mishchenko, Defazio",
        2024,
        "Prodigy: An Expeditiously Adaptive Parameter-Free Learner",
        "ICML",
      ),
      part: "Algorithm 4",
    },
  ],
  radam: [
    {
      ...arxiv(
        "1908.03265",
        "Liu, Jiang, He, Chen, Liu, Gao, Han",
        2020,
        "On the Variance of the Adaptive Learning Rate and Beyond",
        "ICLR",
      ),
      part: "Algorithm 2",
    },
  ],
  rmsprop: [
    {
      authors: "Tieleman, Hinton",
      year: 2012,
      title: "rmsprop: Divide the gradient by a running average of its recent magnitude",
      venue: "Neural Networks for Machine Learning, lecture 6e",
      url: "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
    },
    {
      ...arxiv("1308.0850", "Graves", 2013, "Generating Sequences With Recurrent Neural Networks"),
      part: "`centered`, Equations 38 to 41",
    },
  ],
  "schedule-free-adamw": [{ ...scheduleFree, part: "Algorithm 1" }],
  "schedule-free-sgd": [{ ...scheduleFree, part: "the authors' implementation" }],
  sgd: [
    {
      authors: "Polyak",
      year: 1964,
      title: "Some methods of speeding up the convergence of iteration methods",
      venue: "USSR Computational Mathematics and Mathematical Physics 4",
      url: "https://doi.org/10.1016/0041-5553(64)90137-5",
      part: "`momentum`",
    },
    {
      authors: "Sutskever, Martens, Dahl, Hinton",
      year: 2013,
      title: "On the importance of initialization and momentum in deep learning",
      venue: "ICML",
      url: "https://proceedings.mlr.press/v28/sutskever13.html",
      part: "`nesterov`",
    },
  ],
  yogi: [
    {
      authors: "Zaheer, Reddi, Sachan, Kale, Kumar",
      year: 2018,
      title: "Adaptive Methods for Nonconvex Optimization",
      venue: "NeurIPS",
      url: "https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization",
    },
  ],
  "adaptive-gradient-clip": [
    {
      ...arxiv(
        "2102.06171",
        "Brock, De, Smith, Simonyan",
        2021,
        "High-Performance Large-Scale Image Recognition Without Normalization",
        "ICML",
      ),
      part: "Equation 3",
    },
  ],
  "cautious-update": [
    {
      ...arxiv(
        "2411.16085",
        "Liang, Chen, Liu, Liu",
        2024,
        "Cautious Optimizers: Improving Training with One Line of Code",
      ),
      part: "Algorithm 1",
    },
  ],
  "cautious-weight-decay": [
    {
      ...arxiv(
        "2510.12402",
        "Chen, Li, Liang, Su, Xie, Pierse, Liang, Lao, Liu",
        2025,
        "Cautious Weight Decay",
      ),
      part: "Algorithm 1",
    },
  ],
  "centralize-gradients": [
    arxiv(
      "2004.01461",
      "Yong, Huang, Hua, Zhang",
      2020,
      "Gradient Centralization: A New Optimization Technique for Deep Neural Networks",
      "ECCV",
    ),
  ],
  "clip-by-global-norm": [
    {
      ...arxiv(
        "1211.5063",
        "Pascanu, Mikolov, Bengio",
        2013,
        "On the difficulty of training Recurrent Neural Networks",
        "ICML",
      ),
      part: "Algorithm 1",
    },
  ],
  "clip-update-by-rms": [{ ...adafactor, part: "Section 6" }],
  "decoupled-weight-decay": [adamw],
  ema: [
    {
      authors: "Polyak, Juditsky",
      year: 1992,
      title: "Acceleration of Stochastic Approximation by Averaging",
      venue: "SIAM Journal on Control and Optimization 30",
      url: "https://doi.org/10.1137/0330046",
    },
  ],
  lookahead: [
    {
      ...arxiv(
        "1907.08610",
        "Zhang, Lucas, Hinton, Ba",
        2019,
        "Lookahead Optimizer: k steps forward, 1 step back",
        "NeurIPS",
      ),
      part: "Algorithm 1",
    },
  ],
  "max-norm": [
    {
      authors: "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov",
      year: 2014,
      title: "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
      venue: "Journal of Machine Learning Research 15",
      url: "https://jmlr.org/papers/v15/srivastava14a.html",
      part: "Section 5.1",
    },
  ],
  "stable-update": [
    arxiv(
      "2304.13013",
      "Wortsman, Dettmers, Zettlemoyer, Morcos, Farhadi, Schmidt",
      2023,
      "Stable and low-precision training for large-scale vision-language models",
      "NeurIPS",
    ),
  ],
  "trust-ratio": [{ ...lamb, part: "Algorithm 2" }, lars],
  "cosine-decay": [sgdr],
  "cosine-decay-restarts": [sgdr],
  "one-cycle": [
    arxiv(
      "1708.07120",
      "Smith, Topin",
      2019,
      "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates",
      "Proceedings of SPIE 11006",
    ),
  ],
  cyclical: [
    arxiv(
      "1506.01186",
      "Smith",
      2017,
      "Cyclical Learning Rates for Training Neural Networks",
      "WACV",
    ),
  ],
  "warmup-stable-decay": [
    arxiv(
      "2404.06395",
      "Hu, Tu, Han, and others",
      2024,
      "MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies",
      "COLM",
    ),
    {
      ...arxiv(
        "2405.18392",
        "Hägele, Bakouch, Kosson, Ben Allal, Von Werra, Jaggi",
        2024,
        "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations",
        "NeurIPS",
      ),
      part: '`shape: "sqrt"`',
    },
  ],
};

/** Where a rule, stage or kind of schedule comes from; none for what has no paper, such as clipping by value. */
export function sourcesOf(name: string): readonly Source[] {
  return Object.hasOwn(sources, name) ? sources[name] : [];
}

/** A source as a line of Markdown. */
export function citation({ authors, year, title, venue, url, part }: Source): string {
  const where = [venue, String(year)].filter((one) => one !== undefined).join(" ");
  return `${authors}: [${title}](${url}), ${where}${part === undefined ? "" : ` (${part})`}`;
}
