"""The words of static figures and of the report, in the languages that both speak."""

from typing import Literal

Language = Literal["en", "zh"]

TEXTS: dict[str, dict[Language, str]] = {
    "cluster/density": {"en": "Clusters: density", "zh": "簇：密度图"},
    "cluster/parallel_coordinates": {
        "en": "Clusters: parallel coordinates",
        "zh": "簇：平行坐标图",
    },
    "cluster/scatter": {"en": "Clusters: scatter", "zh": "簇：散点图"},
    "loci/density": {"en": "Loci: density", "zh": "位点：密度图"},
    "loci/parallel_coordinates": {"en": "Loci: parallel coordinates", "zh": "位点：平行坐标图"},
    "loci/scatter": {"en": "Loci: scatter", "zh": "位点：散点图"},
    "loci/similarity_matrix": {"en": "Loci: similarity matrix", "zh": "位点：相似度矩阵"},
    "loci/vaf_parallel_coordinates": {
        "en": "Loci: VAF parallel coordinates",
        "zh": "位点：VAF 平行坐标图",
    },
    "loci/vaf_scatter": {"en": "Loci: VAF scatter", "zh": "位点：VAF 散点图"},
    "prevalence": {"en": "Cellular prevalence", "zh": "细胞占比"},
    "vaf": {"en": "Variant allele frequency (VAF)", "zh": "变异等位基因频率 (VAF)"},
    "cluster": {"en": "Cluster", "zh": "簇"},
    "sample": {"en": "Sample", "zh": "样本"},
    "similarity": {"en": "Probability of sharing a cluster", "zh": "同属一簇的概率"},
    "mutations": {"en": "Mutations", "zh": "突变数"},
    "part": {
        "en": "{shown:,} of {total:,} mutations are drawn, spread evenly over the clusters",
        "zh": "共 {total:,} 个突变，按簇均匀抽取 {shown:,} 个绘制",
    },
    "some_samples": {
        "en": "the first {shown} of {total} samples are drawn",
        "zh": "共 {total} 个样本，只绘制前 {shown} 个",
    },
    "some_clusters": {
        "en": "the {shown} largest of {total} clusters are drawn",
        "zh": "共 {total} 个簇，只绘制最大的 {shown} 个",
    },
    "report": {"en": "Clonal analysis", "zh": "克隆分析报告"},
    "summary": {"en": "Summary", "zh": "摘要"},
    "recipe": {"en": "Recipe", "zh": "配方"},
    "clusters_table": {"en": "Clusters", "zh": "簇表"},
    "size": {"en": "Size", "zh": "突变数"},
    "mean": {"en": "Mean", "zh": "均值"},
    "std": {"en": "Std", "zh": "标准差"},
    "n_mutations": {"en": "Mutations", "zh": "突变数"},
    "n_samples": {"en": "Samples", "zh": "样本数"},
    "n_clusters": {"en": "Clusters", "zh": "簇数"},
    "elbo": {"en": "ELBO", "zh": "证据下界 (ELBO)"},
    "density": {"en": "Density", "zh": "密度模型"},
    "precision": {"en": "Precision", "zh": "精度"},
    "seed": {"en": "Seed", "zh": "随机种子"},
    "engine": {"en": "Engine", "zh": "引擎"},
    "inputs": {"en": "Inputs", "zh": "输入文件"},
    "parameters": {"en": "Parameters", "zh": "参数"},
    "libraries": {"en": "Libraries", "zh": "软件库版本"},
    "more_rows": {
        "en": "{n} more rows are in cluster.tsv",
        "zh": "其余 {n} 行见 cluster.tsv",
    },
    "no_font": {
        "en": "No font with Chinese characters was found here; the texts are in English.",
        "zh": "No font with Chinese characters was found here; the texts are in English.",
    },
}


def text(key: str, language: Language, **values: object) -> str:
    """The words for a key."""
    return TEXTS[key][language].format(**values)
