"""Old arguments, values, methods and functions of scikit-learn."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

from azureml._node.compat.announcing import announce
from azureml._node.compat.wrapping import dropped, renamed, version_of, with_old_arguments

if TYPE_CHECKING:
    from azureml._node.compat.wrapping import Fix

    _Fixes = dict[str, tuple[Fix, str]]

# Values that were given other names: (class among the estimator's bases, parameter) → {old: (new, since)}.
_NO_PENALTY = {"none": (None, "scikit-learn 1.4")}
_SQUARED = {"mse": ("squared_error", "scikit-learn 1.2"), "mae": ("absolute_error", "scikit-learn 1.2")}
_ROOT = {"auto": ("sqrt", "scikit-learn 1.3")}
_ALL_FEATURES = {"auto": (1.0, "scikit-learn 1.3")}
_NO_LIMIT = {"auto": (None, "scikit-learn 1.3")}
_VALUES: dict[tuple[str, str], dict[Any, tuple[Any, str]]] = {
    ("LogisticRegression", "penalty"): _NO_PENALTY,
    ("SGDClassifier", "penalty"): _NO_PENALTY,
    ("SGDRegressor", "penalty"): _NO_PENALTY,
    ("Perceptron", "penalty"): _NO_PENALTY,
    ("SGDClassifier", "loss"): {
        "log": ("log_loss", "scikit-learn 1.3"),
        "squared_loss": ("squared_error", "scikit-learn 1.2"),
    },
    ("SGDRegressor", "loss"): {"squared_loss": ("squared_error", "scikit-learn 1.2")},
    ("GradientBoostingClassifier", "loss"): {"deviance": ("log_loss", "scikit-learn 1.3")},
    ("GradientBoostingRegressor", "loss"): {
        "ls": ("squared_error", "scikit-learn 1.2"),
        "lad": ("absolute_error", "scikit-learn 1.2"),
    },
    ("HistGradientBoostingRegressor", "loss"): {
        "least_squares": ("squared_error", "scikit-learn 1.2"),
        "least_absolute_deviation": ("absolute_error", "scikit-learn 1.2"),
    },
    ("HistGradientBoostingClassifier", "loss"): {
        "auto": ("log_loss", "scikit-learn 1.3"),
        "binary_crossentropy": ("log_loss", "scikit-learn 1.3"),
        "categorical_crossentropy": ("log_loss", "scikit-learn 1.3"),
    },
    ("RANSACRegressor", "loss"): {
        "squared_loss": ("squared_error", "scikit-learn 1.2"),
        "absolute_loss": ("absolute_error", "scikit-learn 1.2"),
    },
    ("LinearSVC", "loss"): {"l1": ("hinge", "scikit-learn 0.20"), "l2": ("squared_hinge", "scikit-learn 0.20")},
    ("ForestClassifier", "max_features"): _ROOT,
    ("ForestRegressor", "max_features"): _ALL_FEATURES,
    ("DecisionTreeClassifier", "max_features"): _ROOT,
    ("DecisionTreeRegressor", "max_features"): _NO_LIMIT,
    ("GradientBoostingClassifier", "max_features"): _ROOT,
    ("GradientBoostingRegressor", "max_features"): _NO_LIMIT,
    ("ForestRegressor", "criterion"): _SQUARED,
    ("DecisionTreeRegressor", "criterion"): _SQUARED,
    ("BaseGradientBoosting", "criterion"): {
        "mse": ("squared_error", "scikit-learn 1.2"),
        "mae": ("friedman_mse", "scikit-learn 1.1"),
    },
    ("KMeans", "algorithm"): {
        "full": ("lloyd", "scikit-learn 1.3"),
        "auto": ("lloyd", "scikit-learn 1.3"),
    },
    ("SimpleImputer", "missing_values"): {"NaN": (float("nan"), "scikit-learn 0.22")},
    ("GridSearchCV", "cv"): {"warn": (None, "scikit-learn 0.22")},
    ("SVC", "gamma"): {"auto_deprecated": ("auto", "scikit-learn 0.22")},
}


def _gone(since: str) -> tuple[Fix, str]:
    return dropped, f"was removed in scikit-learn {since}; accepted without effect"


def _called(new: str, since: str) -> tuple[Fix, str]:
    return renamed(new), f"was removed in scikit-learn {since}; put back as {new}="


# Arguments that classes no longer take: module → class → {argument: what to do}.
_ARGUMENTS: dict[str, dict[str, _Fixes]] = {
    "sklearn.preprocessing": {
        "OneHotEncoder": {
            "sparse": _called("sparse_output", "1.4"),
            "categorical_features": _gone("0.22"),
            "n_values": _gone("0.22"),
        },
    },
    "sklearn.impute": {"SimpleImputer": {"verbose": _gone("1.3"), "axis": _gone("0.22")}},
    "sklearn.linear_model": {
        "LogisticRegression": {"multi_class": _gone("1.8")},
        "LogisticRegressionCV": {"multi_class": _gone("1.8")},
        **{
            name: {"normalize": _gone("1.2")}
            for name in (
                *("LinearRegression", "Ridge", "Lasso", "ElasticNet", "Lars", "LassoLars", "RidgeCV", "LassoCV"),
                *("ElasticNetCV", "LarsCV", "LassoLarsCV", "LassoLarsIC", "BayesianRidge", "ARDRegression"),
                *("OrthogonalMatchingPursuit", "RidgeClassifier", "RidgeClassifierCV"),
            )
        },
        "RANSACRegressor": {"base_estimator": _called("estimator", "1.3")},
        "SGDClassifier": {"n_iter": _called("max_iter", "0.21")},
        "SGDRegressor": {"n_iter": _called("max_iter", "0.21")},
        "Perceptron": {"n_iter": _called("max_iter", "0.21")},
    },
    "sklearn.ensemble": {
        "AdaBoostClassifier": {"base_estimator": _called("estimator", "1.4"), "algorithm": _gone("1.8")},
        "AdaBoostRegressor": {"base_estimator": _called("estimator", "1.4")},
        "BaggingClassifier": {"base_estimator": _called("estimator", "1.4")},
        "BaggingRegressor": {"base_estimator": _called("estimator", "1.4")},
        "IsolationForest": {"behaviour": _gone("0.24")},
        "GradientBoostingClassifier": {"presort": _gone("0.24"), "min_impurity_split": _gone("1.0")},
        "GradientBoostingRegressor": {"presort": _gone("0.24"), "min_impurity_split": _gone("1.0")},
        **{
            name: {"min_impurity_split": _gone("1.0")}
            for name in (
                "RandomForestClassifier",
                "RandomForestRegressor",
                "ExtraTreesClassifier",
                "ExtraTreesRegressor",
            )
        },
    },
    "sklearn.tree": {
        name: {"presort": _gone("0.24"), "min_impurity_split": _gone("1.0")}
        for name in ("DecisionTreeClassifier", "DecisionTreeRegressor")
    },
    "sklearn.cluster": {
        "KMeans": {"n_jobs": _gone("1.0"), "precompute_distances": _gone("1.0")},
        "AgglomerativeClustering": {"affinity": _called("metric", "1.4")},
    },
    "sklearn.manifold": {
        "TSNE": {"n_iter": _called("max_iter", "1.7"), "square_distances": _gone("1.3")},
    },
    "sklearn.model_selection": {
        "GridSearchCV": {"iid": _gone("0.24"), "fit_params": _gone("0.21")},
        "RandomizedSearchCV": {"iid": _gone("0.24"), "fit_params": _gone("0.21")},
    },
}


def patch_base(module: Any) -> None:
    """Old values of parameters, whichever way an estimator got them, are replaced when it is fitted."""
    estimator = module.BaseEstimator
    original = getattr(estimator, "_validate_params", None)
    if original is None:
        return  # before 1.2, when old values were valid ones

    @functools.wraps(original)
    def _validate_params(self: Any) -> Any:
        _replace_values(self)
        return original(self)

    estimator._validate_params = _validate_params


def _replace_values(estimator: Any) -> None:
    names = {cls.__name__ for cls in type(estimator).__mro__}
    for (cls, parameter), values in _VALUES.items():
        if cls not in names:
            continue
        present = getattr(estimator, parameter, None)
        if isinstance(present, str) and present in values and _is_since(values[present][1]):
            new, since = values[present]
            setattr(estimator, parameter, new)
            announce(f"{type(estimator).__name__}({parameter}={present!r}) was removed in {since}; put back as {new!r}")


def _is_since(since: str) -> bool:
    """True when the installed scikit-learn is ``scikit-learn X.Y`` or later."""
    import sklearn

    return version_of(sklearn) >= tuple(int(part) for part in since.split()[-1].split("."))


def _patch_classes(module: Any) -> None:
    for name, fixes in _ARGUMENTS[module.__name__].items():
        cls = getattr(module, name, None)
        if cls is not None:
            cls.__init__ = with_old_arguments(cls.__init__, name, fixes)


def patch_preprocessing(module: Any) -> None:
    """``OneHotEncoder(sparse=)`` and ``get_feature_names``."""
    _patch_classes(module)
    for name in ("OneHotEncoder", "PolynomialFeatures"):
        _give_feature_names(getattr(module, name))


def patch_impute(module: Any) -> None:
    """Arguments of the imputers."""
    _patch_classes(module)


def patch_text(module: Any) -> None:
    """``get_feature_names`` of the vectorizers."""
    for name in ("CountVectorizer", "TfidfVectorizer"):
        _give_feature_names(getattr(module, name))


def patch_linear_model(module: Any) -> None:
    """Arguments of linear models; ``liblinear`` for more than two classes."""
    _patch_classes(module)
    if _is_since("scikit-learn 1.8"):
        _patch_liblinear(module.LogisticRegression)


def patch_ensemble(module: Any) -> None:
    """Arguments of ensembles."""
    _patch_classes(module)


def patch_tree(module: Any) -> None:
    """Arguments of trees."""
    _patch_classes(module)


def patch_cluster(module: Any) -> None:
    """Arguments of clusterings."""
    _patch_classes(module)


def patch_manifold(module: Any) -> None:
    """Arguments of t-SNE."""
    _patch_classes(module)


def patch_model_selection(module: Any) -> None:
    """Arguments of searches."""
    _patch_classes(module)


def patch_metrics(module: Any) -> None:
    """``mean_squared_error(squared=False)`` and its kin."""
    for name, root in (
        ("mean_squared_error", "root_mean_squared_error"),
        ("mean_squared_log_error", "root_mean_squared_log_error"),
    ):
        if hasattr(module, root):
            setattr(module, name, _with_squared(getattr(module, name), getattr(module, root)))


def _with_squared(plain: Any, root: Any) -> Any:
    @functools.wraps(plain)
    def error(y_true: Any, y_pred: Any, **kwargs: Any) -> Any:
        if "squared" not in kwargs:
            return plain(y_true, y_pred, **kwargs)
        is_squared = kwargs.pop("squared")
        announce(f"{plain.__name__}(squared=) was removed in scikit-learn 1.6; put back with {root.__name__}")
        return (plain if is_squared else root)(y_true, y_pred, **kwargs)

    return error


def patch_datasets(module: Any) -> None:
    """``load_boston`` cannot be put back: its data is no longer distributed; say so, once and clearly."""
    own = module.__dict__.get("__getattr__")

    def __getattr__(name: str) -> Any:
        if name == "load_boston":
            announce("load_boston was removed in scikit-learn 1.2; a stand-in takes its place and refuses when called")
            return load_boston
        if own is not None:
            return own(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__dict__["__getattr__"] = __getattr__


def load_boston(*args: Any, **kwargs: Any) -> Any:
    """Refuse: the data is not there."""
    raise RuntimeError(
        "load_boston was removed in scikit-learn 1.2 with its data, which cannot be put back; read the data from a file "
        "of your own, or use sklearn.datasets.fetch_california_housing() or load_diabetes()"
    )


def fetch_mldata(dataname: str, *args: Any, **kwargs: Any) -> Any:
    """Refuse: the site that it read from is gone."""
    raise RuntimeError(
        f"fetch_mldata was removed in scikit-learn 0.22, because mldata.org is gone; read {dataname!r} with "
        f"sklearn.datasets.fetch_openml or from a file of your own"
    )


def plot_confusion_matrix(estimator: Any, X: Any, y_true: Any, **kwargs: Any) -> Any:
    """The display of a fitted classifier's confusion matrix."""
    from sklearn.metrics import ConfusionMatrixDisplay

    return ConfusionMatrixDisplay.from_estimator(estimator, X, y_true, **kwargs)


def plot_roc_curve(estimator: Any, X: Any, y: Any, **kwargs: Any) -> Any:
    """The display of a fitted classifier's ROC curve."""
    from sklearn.metrics import RocCurveDisplay

    return RocCurveDisplay.from_estimator(estimator, X, y, **kwargs)


def plot_precision_recall_curve(estimator: Any, X: Any, y: Any, **kwargs: Any) -> Any:
    """The display of a fitted classifier's precision-recall curve."""
    from sklearn.metrics import PrecisionRecallDisplay

    return PrecisionRecallDisplay.from_estimator(estimator, X, y, **kwargs)


def plot_det_curve(estimator: Any, X: Any, y: Any, **kwargs: Any) -> Any:
    """The display of a fitted classifier's detection error tradeoff."""
    from sklearn.metrics import DetCurveDisplay

    return DetCurveDisplay.from_estimator(estimator, X, y, **kwargs)


def jaccard_similarity_score(y_true: Any, y_pred: Any, normalize: bool = True, sample_weight: Any = None) -> Any:
    """For one label per sample that function was the accuracy."""
    from sklearn.metrics import accuracy_score

    return accuracy_score(y_true, y_pred, normalize=normalize, sample_weight=sample_weight)


def _give_feature_names(cls: Any) -> None:
    if hasattr(cls, "get_feature_names"):
        return

    def get_feature_names(self: Any, input_features: Any = None) -> Any:
        announce(
            f"{cls.__name__}.get_feature_names was removed in scikit-learn 1.2; put back with get_feature_names_out"
        )
        names = self.get_feature_names_out() if input_features is None else self.get_feature_names_out(input_features)
        return list(names) if hasattr(cls, "vocabulary_") or hasattr(self, "vocabulary_") else names

    cls.get_feature_names = get_feature_names


def _patch_liblinear(cls: Any) -> None:
    """``solver='liblinear'`` took several classes, one against the rest."""
    original = cls.fit

    @functools.wraps(original)
    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        if self.solver != "liblinear":
            return original(self, X, y, sample_weight)
        import numpy

        classes = numpy.unique(y)
        if len(classes) <= 2:
            return original(self, X, y, sample_weight)
        announce(
            "LogisticRegression(solver='liblinear') takes two classes only since scikit-learn 1.8; more are fitted one "
            "against the rest again"
        )
        return _fit_one_against_rest(self, original, X, numpy.asarray(y), classes, sample_weight)

    cls.fit = fit


def _fit_one_against_rest(self: Any, fit: Any, X: Any, y: Any, classes: Any, sample_weight: Any) -> Any:
    import numpy
    from sklearn.base import clone
    from sklearn.utils.class_weight import compute_sample_weight

    weights = sample_weight
    if self.class_weight is not None:
        by_class = compute_sample_weight(self.class_weight, y)
        weights = by_class if sample_weight is None else by_class * numpy.asarray(sample_weight)
    parts = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for one in classes:
            part = clone(self).set_params(class_weight=None)
            parts.append(fit(part, X, (y == one).astype(int), weights))
    self.classes_ = classes
    self.coef_ = numpy.vstack([part.coef_ for part in parts])
    self.intercept_ = numpy.concatenate([numpy.atleast_1d(part.intercept_) for part in parts])
    self.n_iter_ = numpy.concatenate([part.n_iter_ for part in parts])
    self.n_features_in_ = parts[0].n_features_in_
    if hasattr(parts[0], "feature_names_in_"):
        self.feature_names_in_ = parts[0].feature_names_in_
    return self
