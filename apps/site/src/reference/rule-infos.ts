import type { RuleName } from "../core-names.js";
import {
  adam,
  adamw,
  amsgrad,
  adafactor,
  lamb,
  lars,
  nadam,
  scheduleFree,
  arxiv,
  type Source,
} from "./papers.js";

/** What a page says of a rule that the rule does not. */
export interface RuleInfo {
  /** What it is for, in one line. */
  readonly summary: string;
  /** The first is the one it follows. */
  readonly sources: readonly [Source, ...Source[]];
}

/** Without an entry for each rule that core exports, this does not compile. */
export const ruleInfos: Readonly<Record<RuleName, RuleInfo>> = {
  adabelief: {
    summary: "Adam, with the variance around the mean gradient in place of the mean square.",
    sources: [
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
  },
  adadelta: {
    summary: "Finds the size of its steps from the updates before.",
    sources: [
      {
        ...arxiv("1212.5701", "Zeiler", 2012, "ADADELTA: An Adaptive Learning Rate Method"),
        part: "Algorithm 1",
      },
    ],
  },
  adafactor: {
    summary: "Adam's second moment as one value per row and column: almost no memory.",
    sources: [{ ...adafactor, part: "Algorithms 4 and 5" }],
  },
  adagrad: {
    summary: "Divides by the root of the sum of all squares: for sparse features.",
    sources: [
      {
        authors: "Duchi, Hazan, Singer",
        year: 2011,
        title: "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
        venue: "Journal of Machine Learning Research 12",
        url: "https://jmlr.org/papers/v12/duchi11a.html",
        part: "the diagonal form",
      },
    ],
  },
  adam: {
    summary: "The usual choice: moving averages of the gradient and its square.",
    sources: [
      { ...adam, part: "Algorithm 1" },
      { ...amsgrad, part: "`amsgrad`" },
      { ...nadam, part: "`nesterov`" },
    ],
  },
  adamax: {
    summary: "Adam with the largest gradient in place of the mean square.",
    sources: [{ ...adam, part: "Algorithm 2" }],
  },
  adamw: {
    summary: "Adam with decoupled weight decay: the usual choice for transformers.",
    sources: [
      { ...adamw, part: "Algorithm 2" },
      { ...amsgrad, part: "`amsgrad`" },
      { ...nadam, part: "`nesterov`" },
    ],
  },
  adan: {
    summary: "Nesterov momentum as an average of differences between gradients.",
    sources: [
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
  },
  ademamix: {
    summary: "Adam with a second, slow average of the gradients.",
    sources: [
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
  },
  adopt: {
    summary: "Adam that converges for every β₂: it divides by the average before the gradient.",
    sources: [
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
  },
  ftrl: {
    summary: "Sparse weights for wide linear models: L1 and L2 in closed form.",
    sources: [
      {
        authors: "McMahan, Holt, Sculley, Young, Ebner, Grady, Nie, Phillips, and others",
        year: 2013,
        title: "Ad Click Prediction: a View from the Trenches",
        venue: "KDD",
        url: "https://doi.org/10.1145/2487575.2488200",
        part: "Algorithm 1",
      },
    ],
  },
  lamb: {
    summary: "Adam scaled to the norm of each tensor: for very large batches.",
    sources: [{ ...lamb, part: "Algorithm 2" }],
  },
  lars: {
    summary: "Momentum scaled to the norm of each tensor: for very large batches.",
    sources: [{ ...lars, part: "Algorithm 1" }],
  },
  lion: {
    summary: "The sign of a momentum: half of Adam's memory, all steps of the same size.",
    sources: [
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
  },
  muon: {
    summary: "Momentum whose singular values are brought near to 1: for the matrices of a network.",
    sources: [
      {
        authors: "Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein",
        year: 2024,
        title: "Muon: An optimizer for hidden layers in neural networks",
        url: "https://kellerjordan.github.io/posts/muon/",
      },
      {
        ...arxiv(
          "2502.16982",
          "Liu, Su, Yao, and others",
          2025,
          "Muon is Scalable for LLM Training",
        ),
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
  },
  nadam: {
    summary: "Adam with Nesterov momentum that grows over the steps.",
    sources: [{ ...nadam, part: "Algorithm 2" }],
  },
  prodigy: {
    summary: "Adam that finds its learning rate.",
    sources: [
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
  },
  radam: {
    summary: "Adam that begins with plain momentum until its averages can be trusted.",
    sources: [
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
  },
  rmsprop: {
    summary: "Divides by the root of a moving average of squares.",
    sources: [
      {
        authors: "Tieleman, Hinton",
        year: 2012,
        title: "rmsprop: Divide the gradient by a running average of its recent magnitude",
        venue: "Neural Networks for Machine Learning, lecture 6e",
        url: "https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf",
      },
      {
        ...arxiv(
          "1308.0850",
          "Graves",
          2013,
          "Generating Sequences With Recurrent Neural Networks",
        ),
        part: "`centered`, Equations 38 to 41",
      },
    ],
  },
  scheduleFreeAdamw: {
    summary: "AdamW that needs no learning rate schedule: it averages the weights.",
    sources: [{ ...scheduleFree, part: "Algorithm 1" }],
  },
  scheduleFreeSgd: {
    summary: "Gradient descent that needs no learning rate schedule: it averages the weights.",
    sources: [{ ...scheduleFree, part: "the authors' implementation" }],
  },
  sgd: {
    summary: "Gradient descent, with or without momentum.",
    sources: [
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
  },
  yogi: {
    summary: "Adam whose second moment changes by limited amounts.",
    sources: [
      {
        authors: "Zaheer, Reddi, Sachan, Kale, Kumar",
        year: 2018,
        title: "Adaptive Methods for Nonconvex Optimization",
        venue: "NeurIPS",
        url: "https://papers.nips.cc/paper/8186-adaptive-methods-for-nonconvex-optimization",
      },
    ],
  },
};
