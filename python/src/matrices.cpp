#include "matrices.hpp"

#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "errors.hpp"
#include "field.hpp"
#include "released.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace whorl::python {
namespace {

constexpr const char* kStage = "matrix";

using AnyArray = nb::ndarray<nb::ro, nb::ndim<2>>;
using HostArray = nb::ndarray<const std::uint32_t, nb::ndim<2>, nb::device::cpu>;

std::string shape_text(std::size_t height, std::size_t width) {
    return std::to_string(height) + " rows and " + std::to_string(width) + " columns";
}

// Keeps `array` alive, and lets go of it with the GIL, whichever thread drops the last reference.
template <class Array>
std::shared_ptr<const void> keep(Array&& array) {
    using Held = std::remove_cvref_t<Array>;
    return {new Held(std::forward<Array>(array)), [](const void* held) {
                const nb::gil_scoped_acquire gil;
                delete static_cast<const Held*>(held);
            }};
}

Matrix make_matrix(std::size_t width, std::size_t height) {
    return take(Matrix::create(width, height));
}

// Calls convert(column, row, word) for every word of `array`, whose rows or columns lie together, in tiles that stay in the cache.
template <class Convert>
void for_each_word(const HostArray& array, const Convert& convert) {
    constexpr std::size_t kTile = 64;
    const std::size_t height = array.shape(0), width = array.shape(1);
    const std::int64_t row_stride = array.stride(0), column_stride = array.stride(1);
    const std::uint32_t* words = array.data();
    for (std::size_t row = 0; row < height; row += kTile) {
        const std::size_t row_end = std::min(height, row + kTile);
        for (std::size_t c = 0; c < width; c += kTile) {
            const std::size_t column_end = std::min(width, c + kTile);
            for (std::size_t column = c; column < column_end; ++column) {
                const std::uint32_t* place = words + static_cast<std::int64_t>(column) * column_stride;
                for (std::size_t r = row; r < row_end; ++r) {
                    convert(column, r, place[static_cast<std::int64_t>(r) * row_stride]);
                }
            }
        }
    }
}

// The first word that is none of a field, by column and row.
struct BadWord {
    std::size_t column = 0, row = 0;
    std::uint32_t word = 0;
};

[[noreturn]] void raise_bad_word(const BadWord& bad) {
    const std::string message = "row " + std::to_string(bad.row) + ", column " + std::to_string(bad.column) +
                                ": expected a number below p = " + std::to_string(Fp::kModulus) + ", found " +
                                std::to_string(bad.word) + "; take it mod p first";
    raise_invalid(kStage, message.c_str());
}

template <class ToElement>
HeldMatrix copy(const HostArray& array, const ToElement& to_element) {
    Matrix matrix = make_matrix(array.shape(1), array.shape(0));
    std::optional<BadWord> bad;
    {
        const Released released;
        Fp* elements = matrix.values().data();
        const std::size_t height = matrix.height();
        for_each_word(array, [&](std::size_t column, std::size_t row, std::uint32_t word) {
            if (word >= Fp::kModulus && !bad) bad = BadWord{column, row, word};
            elements[column * height + row] = to_element(word);
        });
    }
    if (bad) raise_bad_word(*bad);
    return hold(std::move(matrix));
}

HeldMatrix from_canonical(const HostArray& array) {
    return copy(array, [](std::uint32_t word) { return Fp::from_canonical(word); });
}

bool is_on_host(const AnyArray& array) {
    return array.device_type() == nb::device::cpu::value || array.device_type() == nb::device::cuda_host::value;
}
bool is_on_cuda(const AnyArray& array) {
    return array.device_type() == nb::device::cuda::value || array.device_type() == nb::device::cuda_managed::value;
}

bool is_column_major(const AnyArray& array) {
    const auto height = static_cast<std::int64_t>(array.shape(0));
    return array.size() == 0 ||
           ((height == 1 || array.stride(0) == 1) && (array.shape(1) == 1 || array.stride(1) == height));
}

HeldMatrix from_words(AnyArray array) {
    if (array.dtype() != nb::dtype<std::uint32_t>() && array.dtype() != nb::dtype<std::int32_t>()) {
        raise_invalid(kStage, "expected words of 32 bits (uint32 or int32), found another dtype");
    }
    const std::size_t height = array.shape(0), width = array.shape(1);
    if (is_on_host(array)) {
        if (!is_column_major(array)) {
            raise_invalid(kStage,
                          "expected a column-major array (numpy.asfortranarray makes one), found another order; words "
                          "are not copied");
        }
        Matrix view = take(Matrix::borrow(static_cast<const Fp*>(array.data()), width, height));
        return HeldMatrix(keep(std::move(array)), std::move(view));
    }
    if (!is_on_cuda(array))
        raise_invalid(kStage, "expected memory of the host or of a CUDA device, found that of another");
    if (!is_column_major(array)) {
        raise_invalid(kStage,
                      "expected a column-major array, such as the transpose of a row-major one, found another order");
    }
    Matrix view = take(Matrix::on_device({.words = array.data()}, width, height));
    return HeldMatrix(keep(std::move(array)), std::move(view));
}

const Matrix& on_host(const HeldMatrix& matrix) {
    if (matrix.view().is_on_device())
        raise_invalid(kStage, "the elements are in a device's memory; copy them with its own library");
    return matrix.view();
}

using NumpyWords = nb::ndarray<nb::numpy, std::uint32_t, nb::ndim<2>>;
using NumpyView = nb::ndarray<nb::numpy, const std::uint32_t, nb::ndim<2>>;

NumpyWords values(const HeldMatrix& held) {
    const Matrix& matrix = on_host(held);
    auto words = std::make_unique<std::uint32_t[]>(matrix.values().size());
    {
        const Released released;
        std::ranges::transform(matrix.values(), words.get(), [](Fp x) { return x.canonical(); });
    }
    std::uint32_t* data = words.get();
    const nb::capsule owner(words.release(), [](void* made) noexcept { delete[] static_cast<std::uint32_t*>(made); });
    return NumpyWords(data, {matrix.height(), matrix.width()}, owner, {1, static_cast<std::int64_t>(matrix.height())});
}

NumpyView words(nb::handle self) {
    const Matrix& matrix = on_host(nb::cast<const HeldMatrix&>(self));
    static_assert(sizeof(Fp) == sizeof(std::uint32_t));
    return NumpyView(reinterpret_cast<const std::uint32_t*>(matrix.values().data()), {matrix.height(), matrix.width()},
                     self, {1, static_cast<std::int64_t>(matrix.height())});
}

HeldMatrix columns_of(const CommittedMatrix& committed) {
    const auto owner = std::make_shared<CommittedMatrix>(committed);
    const Matrix& matrix = owner->matrix();
    if (matrix.is_on_device() || matrix.width() == 0) return HeldMatrix(owner, matrix);
    return HeldMatrix(owner, take(Matrix::borrow(matrix.values().data(), matrix.width(), matrix.height())));
}

TracePart to_part(nb::handle part) {
    if (nb::isinstance<CommittedMatrix>(part)) return nb::cast<const CommittedMatrix&>(part);
    return nb::cast<const HeldMatrix&>(part).view();
}

nb::object from_part(TracePart&& part) {
    if (Matrix* columns = part.columns()) return nb::cast(hold(std::move(*columns)));
    return nb::cast(*part.committed());
}

AirTrace to_trace(nb::handle trace) {
    AirTrace out;
    out.air_id = nb::cast<std::uint32_t>(trace.attr("air_id"));
    for (const nb::handle part : trace.attr("cached")) out.cached_mains.push_back(to_part(part));
    const nb::object preprocessed = trace.attr("preprocessed");
    if (!preprocessed.is_none()) out.preprocessed = to_part(preprocessed);
    const nb::object main = trace.attr("main");
    if (!main.is_none()) {
        out.common_main = nb::cast<const HeldMatrix&>(main).view();
    } else if (!out.cached_mains.empty()) {
        out.common_main = make_matrix(0, out.cached_mains[0].height());
    }
    for (const nb::handle value : trace.attr("public_values")) out.public_values.push_back(nb::cast<Fp>(value));
    return out;
}

}  // namespace

HeldMatrix hold(Matrix&& matrix) {
    const auto owner = std::make_shared<Matrix>(std::move(matrix));
    // A matrix without columns has a height to keep, and nothing to borrow.
    if (owner->width() == 0 || owner->height() == 0) return HeldMatrix(nullptr, *owner);
    Matrix view = take(Matrix::borrow(std::as_const(*owner).values().data(), owner->width(), owner->height()));
    return HeldMatrix(owner, std::move(view));
}

Result<Matrix> copy_of(const Matrix& matrix) {
    Result<Matrix> copy = Matrix::create(matrix.width(), matrix.height());
    if (copy) std::ranges::copy(matrix.values(), copy->values().begin());
    return copy;
}

std::vector<AirTrace> to_traces(nb::handle traces) {
    std::vector<AirTrace> out;
    for (const nb::handle trace : traces) out.push_back(to_trace(trace));
    return out;
}

nb::list from_traces(std::vector<AirTrace>&& traces) {
    nb::list out;
    for (AirTrace& trace : traces) {
        nb::list cached;
        for (TracePart& part : trace.cached_mains) cached.append(from_part(std::move(part)));
        nb::object main = trace.common_main.width() == 0 ? nb::none() : nb::cast(hold(std::move(trace.common_main)));
        nb::object preprocessed = trace.preprocessed ? from_part(*std::move(trace.preprocessed)) : nb::none();
        out.append(nb::make_tuple(trace.air_id, std::move(main), std::move(cached), std::move(preprocessed),
                                  trace.public_values));
    }
    return out;
}

void bind_matrices(nb::module_& module) {
    nb::class_<HeldMatrix>(module, "Matrix", R"(Columns of field elements: ``height`` rows and ``width`` columns.

Made by `whorl.matrix` from numbers, or by `from_words` in place.)")
        .def_static("from_canonical", &from_canonical, "values"_a.noconvert(),
                    "A copy of a uint32 array of shape (height, width), whose elements are below p.")
        .def_static("from_words", &from_words, "words"_a.noconvert(),
                    R"(The elements of an array where they are, without a copy.

Parameters
----------
words
    A column-major array of shape (height, width) with elements of 32 bits: a NumPy array, or anything with DLPack, on the
    host or on the CUDA device that proves. Each is a field element in Montgomery form, x * 2**32 mod p, below p. It must
    stay unchanged while the matrix is used.

Raises
------
InvalidArgumentError
    For another dtype or order. Words that are no field elements are found when the matrix is used.)")
        .def_prop_ro(
            "width", [](const HeldMatrix& m) { return m.view().width(); }, "Columns.")
        .def_prop_ro(
            "height", [](const HeldMatrix& m) { return m.view().height(); }, "Rows.")
        .def_prop_ro(
            "shape", [](const HeldMatrix& m) { return nb::make_tuple(m.view().height(), m.view().width()); },
            "(height, width).")
        .def_prop_ro(
            "is_on_device", [](const HeldMatrix& m) { return m.view().is_on_device(); },
            "Whether the elements are in a GPU's memory.")
        .def_prop_ro("values", &values, nb::rv_policy::automatic,
                     "A new uint32 array of shape (height, width), column-major, of canonical numbers.")
        .def_prop_ro("words", &words, nb::rv_policy::automatic,
                     nb::for_getter(nb::sig("def words(self, /) -> numpy.typing.NDArray")),
                     "The Montgomery words where they are: a read-only, column-major array of shape (height, width).")
        .def(
            "__array__",
            [](const HeldMatrix& m, const nb::object& dtype, const nb::object& may_copy) -> nb::object {
                if (!may_copy.is_none() && !nb::cast<bool>(may_copy)) {
                    PyErr_SetString(PyExc_ValueError, "canonical numbers are always a copy; Matrix.words is not");
                    throw nb::python_error();
                }
                nb::object array = nb::cast(values(m));
                return dtype.is_none() ? array : array.attr("astype")(dtype);
            },
            "dtype"_a = nb::none(), "copy"_a = nb::none())
        .def("__getstate__", [](nb::handle self) { return nb::make_tuple(words(self)); })
        .def("__setstate__",
             [](HeldMatrix& self, const nb::tuple& state) {
                 const auto words = nb::cast<HostArray>(state[0]);
                 new (&self) HeldMatrix(copy(words, [](std::uint32_t word) { return Fp::from_montgomery(word); }));
             })
        .def("__repr__", [](const HeldMatrix& m) {
            return "<whorl.Matrix, " + shape_text(m.view().height(), m.view().width()) +
                   (m.view().is_on_device() ? ", on a device>" : ">");
        });

    nb::class_<CommittedMatrix>(module, "CommittedMatrix",
                                R"(Columns with the commitment to them, for any number of proofs.

Made by `whorl.Prover.commit`.)")
        .def_prop_ro(
            "commit", [](const CommittedMatrix& m) { return m.commit(); }, "The commitment: 8 numbers.")
        .def_prop_ro(
            "stacking_width", [](const CommittedMatrix& m) { return m.stacking_width(); }, "Stacked columns.")
        .def_prop_ro(
            "shape", [](const CommittedMatrix& m) { return nb::make_tuple(m.matrix().height(), m.matrix().width()); },
            "(height, width).")
        .def_prop_ro("matrix", &columns_of, "The columns.")
        .def(
            "__reduce__",
            [](const CommittedMatrix& m) {
                return nb::make_tuple(nb::module_::import_("whorl.matrices").attr("matrix"),
                                      nb::make_tuple(columns_of(m)));
            },
            "Pickles as the columns alone: another process commits to them again.")
        .def_prop_ro(
            "height", [](const CommittedMatrix& m) { return m.matrix().height(); }, "Rows.")
        .def_prop_ro(
            "width", [](const CommittedMatrix& m) { return m.matrix().width(); }, "Columns.")
        .def("__repr__", [](const CommittedMatrix& m) {
            return "<whorl.CommittedMatrix, " + shape_text(m.matrix().height(), m.matrix().width()) + ">";
        });
}

}  // namespace whorl::python
