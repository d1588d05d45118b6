"""What was dropped, when, and what stands for it now. To put back another name, add a line here.

``MODULES``: a module that is gone → (the module that has its content, what dropped it).
``NAMES``: module → {name that is gone: ("module:attribute" that replaces it, what dropped it)}.
``PATCHERS``: module → "module:function" that is given the module after its import; for arguments and methods.
"""

from __future__ import annotations

_HERE = "azureml._node.compat."

_SKLEARN_22 = "scikit-learn 0.22"
_SKLEARN_23 = "scikit-learn 0.23"
_SKLEARN_24 = "scikit-learn 0.24"
_SKLEARN_1_2 = "scikit-learn 1.2"
_NUMPY_24 = "NumPy 1.24"
_NUMPY_2 = "NumPy 2.0"
_PANDAS_1 = "pandas 1.0"
_PANDAS_2 = "pandas 2.0"
_PYTHON_310 = "Python 3.10"

MODULES: dict[str, tuple[str, str]] = {
    "sklearn.externals.joblib": ("joblib", _SKLEARN_23),
    "sklearn.externals.six": (_HERE + "six_stand_in", _SKLEARN_23),
    "sklearn.cross_validation": ("sklearn.model_selection", "scikit-learn 0.20"),
    "sklearn.grid_search": ("sklearn.model_selection", "scikit-learn 0.20"),
    "sklearn.datasets.samples_generator": ("sklearn.datasets", _SKLEARN_24),
    "sklearn.datasets.base": ("sklearn.datasets", _SKLEARN_24),
    "sklearn.linear_model.base": ("sklearn.linear_model._base", _SKLEARN_24),
    "sklearn.linear_model.logistic": ("sklearn.linear_model._logistic", _SKLEARN_24),
    "sklearn.linear_model.coordinate_descent": ("sklearn.linear_model._coordinate_descent", _SKLEARN_24),
    "sklearn.linear_model.ridge": ("sklearn.linear_model._ridge", _SKLEARN_24),
    "sklearn.linear_model.stochastic_gradient": ("sklearn.linear_model._stochastic_gradient", _SKLEARN_24),
    "sklearn.ensemble.forest": ("sklearn.ensemble._forest", _SKLEARN_24),
    "sklearn.ensemble.gradient_boosting": ("sklearn.ensemble._gb", _SKLEARN_24),
    "sklearn.ensemble.bagging": ("sklearn.ensemble._bagging", _SKLEARN_24),
    "sklearn.ensemble.weight_boosting": ("sklearn.ensemble._weight_boosting", _SKLEARN_24),
    "sklearn.ensemble.voting": ("sklearn.ensemble._voting", _SKLEARN_24),
    "sklearn.tree.tree": ("sklearn.tree._classes", _SKLEARN_24),
    "sklearn.svm.classes": ("sklearn.svm._classes", _SKLEARN_24),
    "sklearn.neighbors.classification": ("sklearn.neighbors._classification", _SKLEARN_24),
    "sklearn.neighbors.regression": ("sklearn.neighbors._regression", _SKLEARN_24),
    "sklearn.neural_network.multilayer_perceptron": ("sklearn.neural_network._multilayer_perceptron", _SKLEARN_24),
    "sklearn.metrics.classification": ("sklearn.metrics._classification", _SKLEARN_24),
    "sklearn.metrics.regression": ("sklearn.metrics._regression", _SKLEARN_24),
    "sklearn.metrics.ranking": ("sklearn.metrics._ranking", _SKLEARN_24),
    "sklearn.metrics.scorer": ("sklearn.metrics._scorer", _SKLEARN_24),
    "sklearn.preprocessing.data": ("sklearn.preprocessing._data", _SKLEARN_24),
    "sklearn.preprocessing.label": ("sklearn.preprocessing._label", _SKLEARN_24),
    "sklearn.preprocessing.imputation": ("sklearn.impute", _SKLEARN_22),
    "sklearn.decomposition.pca": ("sklearn.decomposition._pca", _SKLEARN_24),
    "sklearn.cluster.k_means_": ("sklearn.cluster._kmeans", _SKLEARN_24),
    "sklearn.feature_extraction.stop_words": ("sklearn.feature_extraction._stop_words", _SKLEARN_24),
    "sklearn.naive_bayes.base": ("sklearn.naive_bayes", _SKLEARN_24),
    "sklearn.utils.testing": ("sklearn.utils._testing", _SKLEARN_24),
    "pandas.tools.plotting": ("pandas.plotting", "pandas 0.25"),
    "pandas.util.testing": ("pandas.testing", _PANDAS_2),
    "pandas.compat.StringIO": ("io", _PANDAS_1),
    "scipy.misc": ("scipy.special", "SciPy 2.0"),
}

_ABSTRACT_COLLECTIONS = (
    *("AsyncIterable", "AsyncIterator", "Awaitable", "ByteString", "Callable", "Collection", "Container", "Coroutine"),
    *("Generator", "Hashable", "ItemsView", "Iterable", "Iterator", "KeysView", "Mapping", "MappingView"),
    *("MutableMapping", "MutableSequence", "MutableSet", "Reversible", "Sequence", "Set", "Sized", "ValuesView"),
)

_NUMPY_BUILTINS = {
    **{name: name for name in ("float", "int", "bool", "object", "str", "complex")},
    "long": "int",
    "unicode": "str",
}
_NUMPY_2_NAMES = {
    **dict.fromkeys(("Inf", "infty", "Infinity", "PINF"), "numpy:inf"),
    **dict.fromkeys(("NaN", "NAN"), "numpy:nan"),
    "NINF": _HERE + "for_numpy:NINF",
    "PZERO": _HERE + "for_numpy:PZERO",
    "NZERO": _HERE + "for_numpy:NZERO",
    "float_": "numpy:float64",
    "complex_": "numpy:complex128",
    "cfloat": "numpy:complex128",
    "singlecomplex": "numpy:complex64",
    "longfloat": "numpy:longdouble",
    "clongfloat": "numpy:clongdouble",
    "longcomplex": "numpy:clongdouble",
    "string_": "numpy:bytes_",
    "unicode_": "numpy:str_",
    "bool8": "numpy:bool_",
    "int0": "numpy:intp",
    "uint0": "numpy:uintp",
    "object0": "numpy:object_",
    "str0": "numpy:str_",
    "product": "numpy:prod",
    "cumproduct": "numpy:cumprod",
    "alltrue": "numpy:all",
    "sometrue": "numpy:any",
    "round_": "numpy:round",
    "in1d": "numpy:isin",
    "trapz": "numpy:trapezoid",
    "row_stack": "numpy:vstack",
    "mat": "numpy:asmatrix",
    "rank": "numpy:ndim",
    "typeDict": "numpy:sctypeDict",
    "issubclass_": "builtins:issubclass",
    "safe_eval": "ast:literal_eval",
    "asfarray": _HERE + "for_numpy:asfarray",
    "asscalar": _HERE + "for_numpy:asscalar",
    "cast": _HERE + "for_numpy:cast",
    "msort": _HERE + "for_numpy:msort",
    "disp": "builtins:print",
    "math": "math:",
    "warnings": "warnings:",
    "sys": "sys:",
    "os": "os:",
}

NAMES: dict[str, dict[str, tuple[str, str]]] = {
    "numpy": {
        **{name: (f"builtins:{target}", _NUMPY_24) for name, target in _NUMPY_BUILTINS.items()},
        **{name: (source, _NUMPY_2) for name, source in _NUMPY_2_NAMES.items()},
        "MachAr": (_HERE + "for_numpy:MachAr", _NUMPY_24),
    },
    "pandas": {
        "np": ("numpy:", _PANDAS_2),
        "datetime": ("datetime:datetime", _PANDAS_2),
        "TimeGrouper": ("pandas:Grouper", _PANDAS_1),
        "scatter_matrix": ("pandas.plotting:scatter_matrix", "pandas 0.25"),
        "value_counts": (_HERE + "for_pandas:value_counts", "pandas 3.0"),
        **dict.fromkeys(("Int64Index", "UInt64Index", "Float64Index"), ("pandas:Index", _PANDAS_2)),
    },
    "pandas.io.json": {"json_normalize": ("pandas:json_normalize", _PANDAS_2)},
    "sklearn.metrics": {
        "plot_confusion_matrix": (_HERE + "for_sklearn:plot_confusion_matrix", _SKLEARN_1_2),
        "plot_roc_curve": (_HERE + "for_sklearn:plot_roc_curve", _SKLEARN_1_2),
        "plot_precision_recall_curve": (_HERE + "for_sklearn:plot_precision_recall_curve", _SKLEARN_1_2),
        "plot_det_curve": (_HERE + "for_sklearn:plot_det_curve", _SKLEARN_1_2),
        "SCORERS": ("sklearn.metrics._scorer:_SCORERS", "scikit-learn 1.3"),
        "jaccard_similarity_score": (_HERE + "for_sklearn:jaccard_similarity_score", _SKLEARN_23),
        "calinski_harabaz_score": ("sklearn.metrics:calinski_harabasz_score", _SKLEARN_23),
    },
    "sklearn.preprocessing": {"Imputer": ("sklearn.impute:SimpleImputer", _SKLEARN_22)},
    "sklearn.impute": {"Imputer": ("sklearn.impute:SimpleImputer", _SKLEARN_22)},
    "sklearn.datasets": {"fetch_mldata": (_HERE + "for_sklearn:fetch_mldata", _SKLEARN_22)},
    "scipy": {
        "interp": ("numpy:interp", "SciPy 1.10"),
        **{
            name: (f"numpy:{name}", "SciPy 1.12")
            for name in (
                "array",
                "zeros",
                "ones",
                "mean",
                "sqrt",
                "exp",
                "log",
                "arange",
                "linspace",
                "pi",
                "dot",
                "stack",
            )
        },
    },
    "scipy.misc": {
        name: (f"scipy.special:{name}", "SciPy 1.3")
        for name in ("comb", "factorial", "factorial2", "factorialk", "logsumexp", "softmax")
    },
    "scipy.integrate": {
        "trapz": ("scipy.integrate:trapezoid", "SciPy 1.14"),
        "cumtrapz": ("scipy.integrate:cumulative_trapezoid", "SciPy 1.14"),
        "simps": (_HERE + "for_scipy:simps", "SciPy 1.14"),
    },
    "scipy.stats": {
        "median_absolute_deviation": (_HERE + "for_scipy:median_absolute_deviation", "SciPy 1.9"),
        "itemfreq": (_HERE + "for_scipy:itemfreq", "SciPy 1.9"),
        "binom_test": (_HERE + "for_scipy:binom_test", "SciPy 1.12"),
    },
    "scipy.signal": {
        name: (f"scipy.signal.windows:{name}", "SciPy 1.13")
        for name in ("gaussian", "hann", "hamming", "blackman", "kaiser", "boxcar", "bartlett", "triang", "parzen")
    },
    "matplotlib.cm": {"get_cmap": ("matplotlib.pyplot:get_cmap", "Matplotlib 3.9")},
    "collections": {name: (f"collections.abc:{name}", _PYTHON_310) for name in _ABSTRACT_COLLECTIONS},
    "time": {"clock": ("time:perf_counter", "Python 3.8")},
    "fractions": {"gcd": ("math:gcd", "Python 3.9")},
    "inspect": {"getargspec": (_HERE + "for_python:getargspec", "Python 3.11")},
    "base64": {
        "encodestring": ("base64:encodebytes", "Python 3.9"),
        "decodestring": ("base64:decodebytes", "Python 3.9"),
    },
    "os": {"errno": ("errno:", "Python 3.7")},
    "cgi": {"escape": (_HERE + "for_python:escape", "Python 3.8")},
    "asyncio": {"coroutine": (_HERE + "for_python:coroutine", "Python 3.11")},
}

PATCHERS: dict[str, str] = {
    "pandas": _HERE + "for_pandas:patch_pandas",
    "sklearn.base": _HERE + "for_sklearn:patch_base",
    "sklearn.datasets": _HERE + "for_sklearn:patch_datasets",
    "sklearn.metrics": _HERE + "for_sklearn:patch_metrics",
    "sklearn.preprocessing": _HERE + "for_sklearn:patch_preprocessing",
    "sklearn.impute": _HERE + "for_sklearn:patch_impute",
    "sklearn.feature_extraction.text": _HERE + "for_sklearn:patch_text",
    "sklearn.linear_model": _HERE + "for_sklearn:patch_linear_model",
    "sklearn.ensemble": _HERE + "for_sklearn:patch_ensemble",
    "sklearn.tree": _HERE + "for_sklearn:patch_tree",
    "sklearn.cluster": _HERE + "for_sklearn:patch_cluster",
    "sklearn.manifold": _HERE + "for_sklearn:patch_manifold",
    "sklearn.model_selection": _HERE + "for_sklearn:patch_model_selection",
    "matplotlib": _HERE + "for_matplotlib:patch_use",
    "matplotlib.figure": _HERE + "for_matplotlib:patch_figure",
    "matplotlib.pyplot": _HERE + "for_matplotlib:patch_pyplot",
    "matplotlib.style": _HERE + "for_matplotlib:patch_style",
    "matplotlib.axes": _HERE + "for_matplotlib:patch_axes",
    "mlflow": _HERE + "for_mlflow:patch",
    "threading": _HERE + "for_python:patch_threading",
}


def patched_modules() -> frozenset[str]:
    """The modules that get something back when they are imported."""
    return frozenset(NAMES) | frozenset(PATCHERS)
