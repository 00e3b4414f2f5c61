//! `grant`, `revoke`, `alter default privileges`.

use super::comment::{dotted, is_word, pair};
use super::reference::shown;
use super::{Migration, Source};
use crate::lower::cut;
use crate::privilege::{Kind, Privilege, Privileges};
use crate::trouble::{Result, Trouble};
use sqlparser::tokenizer::Token;
use std::iter::Peekable;
use std::slice::Iter;
use std::sync::Arc;

/// Roles that exist; those requests do not have are taken and say nothing.
const ROLES: &[&str] = &[
    "public",
    "anon",
    "authenticated",
    "service_role",
    "authenticator",
    "postgres",
    "dashboard_user",
    "supabase_admin",
    "supabase_auth_admin",
    "supabase_storage_admin",
    "supabase_realtime_admin",
    "supabase_read_only_user",
    "current_user",
    "session_user",
    "current_role",
];

type Words<'a> = Peekable<Iter<'a, Token>>;

/// What is given or taken: each with the columns it is about.
type Asked = Vec<(Option<Privilege>, Vec<String>)>;

struct Statement {
    gives: bool,
    asked: Asked,
    roles: Vec<String>,
}

impl Statement {
    /// Applies it to the privileges of one thing; `all` are those there are.
    fn apply(&self, privileges: &mut Privileges, all: &[Privilege]) {
        for role in &self.roles {
            for (privilege, columns) in &self.asked {
                let each = privilege.as_ref().map_or(all, std::slice::from_ref);
                for privilege in each {
                    if self.gives {
                        privileges.grant(role, *privilege, columns);
                    } else {
                        privileges.revoke(role, *privilege, columns);
                    }
                }
            }
        }
    }

    /// Refuses what can't be given on a kind of thing.
    fn fits(&self, all: &[Privilege], kind: &str) -> Result<()> {
        for (privilege, _) in &self.asked {
            if let Some(privilege) = privilege.filter(|privilege| !all.contains(privilege)) {
                return Err(Trouble::sql(
                    "0LP01",
                    format!(
                        "invalid privilege type {} for {kind}",
                        format!("{privilege:?}").to_uppercase()
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn takes(words: &mut Words<'_>, wanted: &str) -> bool {
    words.next_if(|word| is_word(word, wanted)).is_some()
}

fn name(words: &mut Words<'_>) -> Option<String> {
    match words.next()? {
        Token::Word(word) if word.quote_style.is_some() => Some(cut(word.value.clone())),
        Token::Word(word) => Some(cut(word.value.to_ascii_lowercase())),
        _ => None,
    }
}

/// Names with commas between them.
fn names(words: &mut Words<'_>) -> Option<Vec<(String, String)>> {
    let mut all = Vec::new();
    loop {
        all.push(pair(dotted(words))?);
        // The types of a function's parameters do not tell overloads apart here.
        if words.next_if(|word| **word == Token::LParen).is_some() {
            let mut depth = 1;
            while depth > 0 {
                match words.next()? {
                    Token::LParen => depth += 1,
                    Token::RParen => depth -= 1,
                    _ => {}
                }
            }
        }
        if words.next_if(|word| **word == Token::Comma).is_none() {
            return Some(all);
        }
    }
}

fn privileges(words: &mut Words<'_>) -> Result<Option<Asked>> {
    let mut asked = Vec::new();
    loop {
        let Some(word) = name(words) else {
            return Ok(None);
        };
        let privilege = match word.as_str() {
            "all" => {
                takes(words, "privileges");
                None
            }
            "select" => Some(Privilege::Select),
            "insert" => Some(Privilege::Insert),
            "update" => Some(Privilege::Update),
            "delete" => Some(Privilege::Delete),
            "truncate" => Some(Privilege::Truncate),
            "references" => Some(Privilege::References),
            "trigger" => Some(Privilege::Trigger),
            "usage" => Some(Privilege::Usage),
            "create" => Some(Privilege::Create),
            "execute" => Some(Privilege::Execute),
            // Of databases, of which there is one.
            "connect" | "temporary" | "temp" => Some(Privilege::Usage),
            // A role given to another: there is no `on` after it.
            other if ROLES.contains(&other) => None,
            other => {
                return Err(Trouble::sql(
                    "42601",
                    format!("unrecognized privilege type \"{other}\""),
                ));
            }
        };
        let mut columns = Vec::new();
        if words.next_if(|word| **word == Token::LParen).is_some() {
            loop {
                let Some(column) = name(words) else {
                    return Ok(None);
                };
                columns.push(column);
                match words.next() {
                    Some(Token::Comma) => {}
                    Some(Token::RParen) => break,
                    _ => return Ok(None),
                }
            }
        }
        asked.push((privilege, columns));
        if words.next_if(|word| **word == Token::Comma).is_none() {
            return Ok(Some(asked));
        }
    }
}

fn roles(words: &mut Words<'_>) -> Result<Vec<String>> {
    let mut roles = Vec::new();
    loop {
        takes(words, "group");
        let role = name(words).unwrap_or_default();
        if !ROLES.contains(&role.as_str()) {
            return Err(Trouble::sql(
                "42704",
                format!("role \"{role}\" does not exist"),
            ));
        }
        roles.push(role);
        if words.next_if(|word| **word == Token::Comma).is_none() {
            return Ok(roles);
        }
    }
}

impl Migration {
    /// `grant .. on .. to ..`, `revoke .. on .. from ..`
    pub(super) fn grant(&mut self, source: &Source) -> Result<()> {
        let tokens: Vec<Token> = source.words().cloned().collect();
        let mut words = tokens.iter().peekable();
        let gives = takes(&mut words, "grant");
        if !gives {
            words.next();
        }
        let unclear = || {
            Trouble::unsupported(
                source.text(),
                "write grant <privileges> on <things> to <roles>, or revoke <privileges> on <things> from <roles>",
            )
        };
        // Who may pass a privilege on concerns nobody who makes requests.
        let option_only = !gives && takes(&mut words, "grant");
        if option_only {
            words.next();
            words.next();
        }
        let asked = privileges(&mut words)?.ok_or_else(unclear)?;
        if !takes(&mut words, "on") {
            // A role given to another.
            return if words.any(|word| is_word(word, "to") || is_word(word, "from")) {
                Ok(())
            } else {
                Err(unclear())
            };
        }
        let first = words
            .peek()
            .map(|word| word.to_string().to_lowercase())
            .unwrap_or_default();
        let mut of_schemas = None;
        let kind = match first.as_str() {
            "all" => {
                words.next();
                let kind = words
                    .next()
                    .map(|word| word.to_string().to_lowercase())
                    .unwrap_or_default();
                if !(takes(&mut words, "in") && takes(&mut words, "schema")) {
                    return Err(unclear());
                }
                of_schemas = Some(names(&mut words).ok_or_else(unclear)?);
                kind
            }
            "table" | "sequence" | "schema" | "function" | "procedure" | "routine" | "type"
            | "domain" | "database" | "language" => {
                words.next();
                first
            }
            "foreign" | "large" | "parameter" | "tablespace" => return Err(unclear()),
            _ => "table".to_owned(),
        };
        let things = match &of_schemas {
            Some(_) => Vec::new(),
            None => names(&mut words).ok_or_else(unclear)?,
        };
        if !takes(&mut words, if gives { "to" } else { "from" }) {
            return Err(unclear());
        }
        let statement = Statement {
            gives,
            asked,
            roles: roles(&mut words)?,
        };
        if let Some(schemas) = &of_schemas {
            for (_, schema) in schemas {
                self.known_schema(schema)?;
            }
        }
        if option_only {
            return Ok(());
        }
        let within = |schema: &str| {
            of_schemas
                .as_ref()
                .is_some_and(|schemas| schemas.iter().any(|(_, known)| known == schema))
        };
        match kind.as_str() {
            "table" | "tables" => {
                let keys: Vec<_> = self.catalog.tables.keys().cloned().collect();
                let things = keys
                    .into_iter()
                    .filter(|key| within(&key.0))
                    .chain(things)
                    .collect::<Vec<_>>();
                for key in things {
                    self.grant_table(&key, &statement)?;
                }
            }
            "sequence" | "sequences" => {
                let keys: Vec<_> = self.catalog.sequences.keys().cloned().collect();
                let things = keys
                    .into_iter()
                    .filter(|key| within(&key.0))
                    .chain(things)
                    .collect::<Vec<_>>();
                for key in things {
                    self.grant_sequence(&key, &statement)?;
                }
            }
            "function" | "functions" | "procedure" | "procedures" | "routine" | "routines" => {
                let keys: Vec<_> = self.catalog.routines.keys().cloned().collect();
                let things = keys
                    .into_iter()
                    .filter(|key| within(&key.0))
                    .chain(things)
                    .collect::<Vec<_>>();
                for key in things {
                    self.grant_routine(&key, &statement)?;
                }
            }
            "schema" => {
                statement.fits(&[Privilege::Usage, Privilege::Create], "schema")?;
                for (_, schema) in things {
                    self.known_schema(&schema)?;
                    let open = schema == "public";
                    let privileges =
                        self.catalog
                            .schema_privileges
                            .entry(schema)
                            .or_insert_with(|| {
                                let mut initial = Privileges::default();
                                if open {
                                    initial = Privileges::everything(&[Privilege::Usage]);
                                    initial.grant("public", Privilege::Usage, &[]);
                                }
                                initial
                            });
                    statement.apply(privileges, &[Privilege::Usage, Privilege::Create]);
                }
            }
            // Types, the database and its languages are everybody's.
            _ => {}
        }
        Ok(())
    }

    fn grant_table(&mut self, key: &(String, String), statement: &Statement) -> Result<()> {
        if self.catalog.sequences.contains_key(key) {
            return self.grant_sequence(key, statement);
        }
        let Some(table) = self.catalog.tables.get_mut(key) else {
            return Err(missing(key));
        };
        statement.fits(Kind::Table.all(), "table")?;
        for (privilege, columns) in &statement.asked {
            for column in columns {
                if table.column(column).is_none() {
                    return Err(Trouble::sql(
                        "42703",
                        format!(
                            "column \"{column}\" of relation \"{}\" does not exist",
                            table.name
                        ),
                    ));
                }
            }
            let by_column = [
                Privilege::Select,
                Privilege::Insert,
                Privilege::Update,
                Privilege::References,
            ];
            if let Some(privilege) = privilege
                && !columns.is_empty()
                && !by_column.contains(privilege)
            {
                return Err(Trouble::sql(
                    "0LP01",
                    format!(
                        "invalid privilege type {} for column",
                        format!("{privilege:?}").to_uppercase()
                    ),
                ));
            }
        }
        statement.apply(&mut Arc::make_mut(table).privileges, Kind::Table.all());
        Ok(())
    }

    fn grant_sequence(&mut self, key: &(String, String), statement: &Statement) -> Result<()> {
        let Some(sequence) = self.catalog.sequences.get_mut(key) else {
            return Err(if self.catalog.tables.contains_key(key) {
                Trouble::sql("42809", format!("\"{}\" is not a sequence", key.1))
            } else {
                missing(key)
            });
        };
        statement.fits(Kind::Sequence.all(), "sequence")?;
        statement.apply(&mut sequence.privileges, Kind::Sequence.all());
        Ok(())
    }

    /// A function is everybody's, and in `public` each role's besides, until both are taken.
    fn grant_routine(&mut self, key: &(String, String), statement: &Statement) -> Result<()> {
        if !self.catalog.routines.contains_key(key) {
            return Err(Trouble::sql(
                "42883",
                format!("function {}() does not exist", shown(key)),
            ));
        }
        statement.fits(Kind::Routine.all(), "function")?;
        let mut privileges = match self.catalog.routine_privileges.remove(key) {
            Some(known) => known,
            None => self.initial_routine_privileges(&key.0),
        };
        statement.apply(&mut privileges, Kind::Routine.all());
        self.set_routine_privileges(key, privileges);
        Ok(())
    }

    fn initial_routine_privileges(&self, schema: &str) -> Privileges {
        let mut initial = self.catalog.initial_privileges(schema, Kind::Routine);
        let said = |schema: &str| {
            self.catalog
                .default_privileges
                .contains_key(&(schema.to_owned(), Kind::Routine))
        };
        // Execute is everybody's unless that was taken from functions of all schemas.
        if !said("") {
            initial.grant("public", Privilege::Execute, &[]);
        }
        initial
    }

    fn set_routine_privileges(&mut self, key: &(String, String), privileges: Privileges) {
        let revoked: Vec<String> = ["anon", "authenticated", "service_role"]
            .into_iter()
            .filter(|role| !privileges.allows(role, Privilege::Execute))
            .map(str::to_owned)
            .collect();
        for routine in self.catalog.routines.get_mut(key).into_iter().flatten() {
            Arc::make_mut(routine).revoked.clone_from(&revoked);
        }
        self.catalog
            .routine_privileges
            .insert(key.clone(), privileges);
    }

    /// A new function gets what default privileges say.
    pub(super) fn init_routine_privileges(&mut self, key: &(String, String)) {
        let privileges = match self.catalog.routine_privileges.get(key) {
            Some(known) => known.clone(),
            None => self.initial_routine_privileges(&key.0),
        };
        self.set_routine_privileges(key, privileges);
    }

    /// `alter default privileges [for role ..] [in schema ..] grant ..`
    pub(super) fn default_privileges(&mut self, source: &Source) -> Result<()> {
        let tokens: Vec<Token> = source.words().skip(3).cloned().collect();
        let mut words = tokens.iter().peekable();
        let unclear = || {
            Trouble::unsupported(
                source.text(),
                "write alter default privileges in schema <schema> grant <privileges> on tables to <roles>",
            )
        };
        let mut schemas = vec![String::new()];
        let mut ours = true;
        loop {
            if takes(&mut words, "for") {
                words.next();
                let roles = roles(&mut words)?;
                // Migrations make everything, as the one role they run as.
                ours = roles.iter().any(|role| {
                    matches!(
                        role.as_str(),
                        "postgres" | "current_user" | "session_user" | "current_role"
                    )
                });
            } else if takes(&mut words, "in") {
                words.next();
                schemas = names(&mut words)
                    .ok_or_else(unclear)?
                    .into_iter()
                    .map(|(_, schema)| schema)
                    .collect();
            } else {
                break;
            }
        }
        let gives = takes(&mut words, "grant");
        if !gives && !takes(&mut words, "revoke") {
            return Err(unclear());
        }
        let option_only = !gives && takes(&mut words, "grant");
        if option_only {
            words.next();
            words.next();
        }
        let asked = privileges(&mut words)?.ok_or_else(unclear)?;
        if !takes(&mut words, "on") {
            return Err(unclear());
        }
        let kind = match name(&mut words).as_deref() {
            Some("tables") => Some(Kind::Table),
            Some("sequences") => Some(Kind::Sequence),
            Some("functions" | "routines") => Some(Kind::Routine),
            // Types and schemas are everybody's.
            Some("types" | "schemas") => None,
            _ => return Err(unclear()),
        };
        if !takes(&mut words, if gives { "to" } else { "from" }) {
            return Err(unclear());
        }
        let statement = Statement {
            gives,
            asked,
            roles: roles(&mut words)?,
        };
        for schema in schemas.iter().filter(|schema| !schema.is_empty()) {
            self.known_schema(schema)?;
        }
        let Some(kind) = kind.filter(|_| ours && !option_only) else {
            return Ok(());
        };
        statement.fits(
            kind.all(),
            if kind == Kind::Table {
                "relation"
            } else {
                kind.name()
            },
        )?;
        for schema in schemas {
            let known = self
                .catalog
                .default_privileges
                .get(&(schema.clone(), kind))
                .cloned();
            let mut privileges = known.unwrap_or_else(|| {
                let mut initial = if schema == "public" {
                    Privileges::everything(kind.all())
                } else {
                    Privileges::default()
                };
                if schema.is_empty() && kind == Kind::Routine {
                    initial.grant("public", Privilege::Execute, &[]);
                }
                initial
            });
            statement.apply(&mut privileges, kind.all());
            self.catalog
                .default_privileges
                .insert((schema, kind), privileges);
        }
        Ok(())
    }
}

fn missing(key: &(String, String)) -> Trouble {
    Trouble::sql(
        "42P01",
        format!("relation \"{}\" does not exist", shown(key)),
    )
}
