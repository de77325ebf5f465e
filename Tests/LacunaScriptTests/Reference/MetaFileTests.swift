import LacunaEngine
import LacunaScript
import LacunaTestSupport
import Testing

@Suite("The description of the Lua API")
struct MetaFileTests {
  private static let example = """
    ---@meta shop
    -- Not a section.

    -- # Wares
    -- What is sold,
    -- and by whom.

    ---@class shop
    ---@field open boolean  now
    local shop = {}

    ---One kind.
    ---@class shop.Ware: userdata
    ---@field [integer] number
    ---@field price? number
    ---@operator len: integer
    local Ware = {}

    ---@alias shop.Name string|integer  either

    ---Counts.
    ---```lua
    ---print(ware:count(1))
    ---```
    ---@param at integer|{ [string]: (integer|"last")[], depth: fun(x?: number): any, nil }  where
    ---@generic Item
    ---@param ... shop.Name|Item
    ---@return number? n  how many
    ---@return table<string, shop.Ware[]> all, any rest  of them
    function Ware:count(at, ...) end
    """

  private func read(_ text: String) throws -> MetaFile {
    let directory = try TemporaryDirectory()
    return try MetaFile(path: directory.write(text, to: "meta.lua"))
  }

  @Test("classes, fields, aliases, functions, examples and sections are read as they are written")
  func reading() throws {
    let file = try read(Self.example)
    #expect(file.module == "shop")
    #expect(file.sections.map(\.title) == ["Wares"])
    #expect(file.sections[0].text == "What is sold, and by whom.")
    let (shop, ware) = (file.classes[0], file.classes[1])
    #expect(shop.name == "shop" && !shop.isHandle && shop.fields[0].text == "now")
    #expect(ware.isHandle && ware.text == "One kind." && ware.operators == ["len: integer"])
    #expect(ware.fields.map(\.name) == ["[integer]", "price"] && ware.fields.map(\.isOptional) == [false, true])
    #expect(file.aliases[0].type.text == "string|integer" && file.aliases[0].text == "either")
    let count = try #require(file.functions.first)
    #expect(count.title == "Ware:count" && count.owner == "shop.Ware" && count.isMethod)
    #expect(count.text == "Counts.\n```lua\nprint(ware:count(1))\n```")
    #expect(count.parameters.map(\.name) == ["at", "..."] && count.parameters[0].text == "where")
    #expect(count.results.map(\.name) == ["n", "all", "rest"])
    #expect(count.results.map(\.text) == ["how many", "", "of them"])
    #expect(file.undeclared().isEmpty)
  }

  @Test(
    "what is wrong in a description is named with its line",
    arguments: [
      ("---@param at integer", "---@param to integer", "meta.lua:30: expected @param for (at, ...)"),
      ("---@param ... shop.Name|Item\n", "", "meta.lua:29: expected @param for (at, ...)"),
      ("---@return number? n", "---@returns number? n", "meta.lua:28: expected an annotation that is known here"),
      ("(integer|\"last\")[]", "(integer|\"last\"[]", "meta.lua:25: expected \")\""),
      ("-- # Wares", "-- Wares", "expected a section"),
      ("function Ware:count", "function Wares:count", "expected a table that was declared before, found \"Wares\""),
      ("local Ware = {}", "", "expected a table that was declared before, found \"Ware\""),
      ("---Counts.\n", "---Counts.\n\n", "meta.lua:22: expected a declaration behind the annotations"),
    ])
  func refusal(_ text: String, _ replacement: String, _ expected: String) throws {
    let changed = Self.example.replacing(text, with: replacement)
    try #require(changed != Self.example)
    let error = try #require(throws: LacunaError.self) { try read(changed) }
    #expect(error.message.contains(expected), "\(error.message)")
  }

  @Test("a type that is declared nowhere is found")
  func undeclared() throws {
    let file = try read(Self.example.replacing("shop.Ware[]", with: "shop.Wear[]"))
    #expect(file.undeclared().map(\.name) == ["shop.Wear"])
    #expect(file.undeclared().map(\.line) == [29])
  }
}

@Suite("The shipped description of the Lua API")
struct ShippedReferenceTests {
  private static let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
  private let reference: APIReference

  init() throws { reference = try APIReference(folder: "\(Self.root)/plugins/meta") }

  private var functions: [MetaFile.Function] { reference.files.flatMap(\.functions) }

  @Test("every bound function is described, and every described one is bound")
  func names() throws {
    let bound = try ScriptBench.withRuntime { $0.state.registeredNames }
    let differences = reference.differences(from: bound)
    #expect(differences.undescribed.isEmpty, "describe them in plugins/meta/lacuna.lua")
    #expect(differences.unbound.isEmpty)
  }

  @Test("described parameters are the bound ones, in number and in what may be left out")
  func parameters() throws {
    let bound = try ScriptBench.withRuntime { $0.state.signatures }
    var compared = 0
    for function in functions {
      guard let signature = bound["\(function.owner.lowercased()):\(function.name)"] else { continue }
      var parameters = signature.split(separator: ",").map { $0.hasSuffix("?") }
      if function.isMethod { parameters.removeFirst() }
      #expect(function.parameters.map(\.isOptional) == parameters, "\(function.title): \(signature)")
      compared += 1
    }
    #expect(compared > 50)
  }

  @Test("vectors, sets, random numbers and their modules have the described methods and no others")
  func nativeMethods() throws {
    func described(_ owner: String) -> String {
      functions.filter { $0.owner == owner }.map(\.name).sorted().joined(separator: " ")
    }
    try ScriptBench.run(
      """
      local function methods(value)
        local index, names = debug.getmetatable(value).__index, {}
        for name in pairs(select(2, debug.getupvalue(index, 1))) do names[#names + 1] = name end
        table.sort(names)
        return table.concat(names, " ")
      end
      assert(methods(lacuna.vec.new(1)) == "\(described("lacuna.Vec"))", methods(lacuna.vec.new(1)))
      assert(methods(lacuna.set.new(1)) == "\(described("lacuna.Set"))", methods(lacuna.set.new(1)))
      assert(methods(lacuna.rng(1)) == "\(described("lacuna.Rng"))", methods(lacuna.rng(1)))
      local found = {}
      for name in pairs(lacuna.vec) do found[#found + 1] = name end
      table.sort(found)
      assert(table.concat(found, " ") == "\(described("lacuna.vec"))", table.concat(found, " "))
      """)
  }

  @Test("every function and every class says what it is for")
  func texts() throws {
    for function in functions {
      #expect(!function.text.isEmpty, "\(function.title)")
    }
    for type in reference.files.flatMap(\.classes) where type.isHandle { #expect(!type.text.isEmpty, "\(type.name)") }
  }

  @Test("docs/reference is what `lacuna doc --pages docs/reference` writes")
  func pages() throws {
    for page in ReferencePages(reference).pages {
      let found = String(
        decoding: try readFile("\(Self.root)/docs/reference/\(page.name)", limit: 1 << 20), as: UTF8.self)
      #expect(found == page.text, "\(page.name): run that command again")
    }
  }

  @Test("each module that scripts can require has a file that editors find")
  func modules() throws {
    let described = Set(
      reference.files.flatMap(\.classes).map(\.name).filter { $0.wholeMatch(of: /lacuna\.[a-z]+/) != nil })
    for name in described.union(["lacuna.rng"]).subtracting(["lacuna.test"]) {
      let file = "\(Self.root)/plugins/meta/\(name.replacing(".", with: "/")).lua"
      let text = String(decoding: try readFile(file, limit: 1 << 10), as: UTF8.self)
      #expect(text == "---@meta \(name)\nreturn require(\"lacuna\").\(name.dropFirst("lacuna.".count))\n")
      try ScriptBench.run("assert(require '\(name)' == lacuna.\(name.dropFirst("lacuna.".count)))")
    }
  }

  @Test(
    "a word finds what it names: with its owner, alone, in any case, a native stage",
    arguments: [
      ("Session:append", "Session:append(what, opts?)"), ("session.append", "Session:append(what, opts?)"),
      ("json.encode", "lacuna.json.encode(value, opts?)"), ("topk", "Vec:topk(k)"),
      ("lacuna.Result", "lacuna.Result"), ("GenerateOptions", "lacuna.GenerateOptions"), ("min_p", "min_p  a filter"),
      ("min-p", "min_p  a filter"),
    ])
  func finding(_ word: String, _ beginning: String) {
    let found = reference.help(word)
    #expect(found.count == 1 && found[0].hasPrefix(beginning), "\(found)")
  }

  @Test("a word that several things end with gives all of them; one that is near is offered")
  func severalAndNone() {
    #expect(reference.help("fork").count == 3)
    #expect(reference.help("logit_softmax").isEmpty)
    #expect(reference.hint("Session:apend") == " (did you mean \"Session:append\"?)")
  }
}
